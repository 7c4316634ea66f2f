"""The peer: what a team writes first. A confluent-kafka loop, fastavro, and PyIceberg appends.

It keeps its offsets in the consumer group, committed after each append: at least once. It has no
gates, no dead letters, no de-duplication and no books.
"""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product


def ingest(cell: Cell, product: Product, table: Table, columns: pa.Schema, records: int) -> int:
    """Append `records` records of the topic to `table`, 50,000 at a time; return the rows appended."""
    envelope = fastavro.parse_schema(dict(product.envelope_schema or {}))
    payload = fastavro.parse_schema(dict(product.payload_schema))
    consumer = Consumer(
        {
            "bootstrap.servers": cell.bootstrap_servers,
            "group.id": "peer",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    partitions = range(product.topic.partitions)
    consumer.assign([TopicPartition(product.topic.name, p, 0) for p in partitions])
    appended = 0
    rows: list[dict[str, object]] = []
    while appended + len(rows) < records:
        for message in consumer.consume(5_000, timeout=1.0):
            value = message.value()
            if message.error() is not None or not isinstance(value, bytes):
                raise SystemExit(f"the peer cannot read: {message.error()}")
            outer: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), envelope, None)
            inner: Any = fastavro.schemaless_reader(io.BytesIO(outer["payload"]), payload, None)
            rows.append({"_uuid": outer["uuid"], "_event_time": outer["timestamp"], **inner})
        if len(rows) >= 50_000 or appended + len(rows) >= records:
            table.append(pa.Table.from_pylist(rows, schema=columns))
            consumer.commit(asynchronous=False)
            appended += len(rows)
            rows = []
    consumer.close()
    return appended
