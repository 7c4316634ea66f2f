"""What a team writes first: a loop of confluent-kafka, fastavro and PyIceberg.

Tuned as confluent's docs advise: many messages a call, large fetches, a long queue; 100,000 rows an
append; the whole value decoded by fastavro's compiled reader of a parsed schema.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from benchmarks.ingest.contestants import Guarantees, this_python
from benchmarks.ingest.work import TABLE, Topic, Work

TITLE = "confluent-kafka + fastavro + PyIceberg"
ONCE, AT_LEAST_ONCE = "exactly_once", "at_least_once"
VARIANTS = {
    ONCE: "offsets in the snapshot's summary",
    AT_LEAST_ONCE: "offsets in the consumer group",
}
SHARE = 0.2
MESSAGES = 10_000
APPEND_ROWS = 100_000
OFFSETS = "loop.offsets"
python = this_python


def guarantees(variant: str) -> Guarantees:
    """Exactly once for one writer at a time, or at least once."""
    kept = "offsets in the same Iceberg commit as the rows, by one writer at a time"
    return Guarantees(kept if variant == ONCE else "", "kept", "it stops", "none")


def ready(say: Callable[[str], None]) -> str:  # noqa: ARG001 - of the shape
    """It can always run."""
    return ""


def files(work: Work) -> tuple[list[str], str]:
    """Return the peers' table's."""
    from benchmarks.exactly_once import data_files

    return data_files(work.own_cell(), TABLE), "id"


def start(work: Work) -> _Runner:
    """Open the catalog."""
    from pipeline.tables.catalog import open_catalog

    cell = work.own_cell()
    once = work.variant == ONCE
    decode = _from_json if work.format == "json" else _avro_decoder(work.payload)
    return _Runner(cell.bootstrap_servers, open_catalog(cell), decode, once=once)


def _from_json(value: bytes) -> Any:
    event = json.loads(value)
    event["at"] = datetime.fromisoformat(event["at"])
    return event


def _avro_decoder(payload: Any) -> Callable[[bytes], Any]:
    import fastavro

    parsed, read = fastavro.parse_schema(dict(payload)), fastavro.schemaless_reader
    return lambda value: read(io.BytesIO(value[5:]), parsed, None)


class _Runner:
    def __init__(
        self, servers: str, catalog: Any, decode: Callable[[bytes], Any], *, once: bool
    ) -> None:
        self._servers, self._catalog, self._decode, self._once = servers, catalog, decode, once

    def run(self, topic: Topic, table: str) -> None:
        import pyarrow as pa
        from confluent_kafka import Consumer, KafkaException, TopicPartition

        target = self._catalog.load_table(table)
        columns = target.schema().as_arrow()
        decode = self._decode
        consumer = Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": f"loop-{table}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.min.bytes": 1_000_000,
                "fetch.wait.max.ms": 100,
                "fetch.max.bytes": 64_000_000,
                "max.partition.fetch.bytes": 16_000_000,
                "queued.min.messages": 500_000,
                "queued.max.messages.kbytes": 262_144,
            }
        )
        snapshot = target.current_snapshot()
        known = snapshot.summary.additional_properties.get(OFFSETS, "{}") if snapshot else "{}"
        places = {int(p): offset for p, offset in json.loads(known).items()}
        parts = range(topic.partitions)
        consumer.assign([TopicPartition(topic.name, p, places.get(p, 0)) for p in parts])
        appended = 0
        rows: list[Any] = []
        while appended < topic.events:
            for message in consumer.consume(MESSAGES, timeout=0.5):
                if message.error() is not None:
                    raise KafkaException(message.error())
                rows.append(decode(message.value() or b""))
                places[message.partition() or 0] = (message.offset() or 0) + 1
            if len(rows) >= APPEND_ROWS or appended + len(rows) >= topic.events:
                batch = pa.Table.from_pylist(rows, schema=columns)
                if self._once:
                    target.append(batch, snapshot_properties={OFFSETS: json.dumps(places)})
                else:
                    target.append(batch)
                    consumer.commit(asynchronous=False)
                appended += len(rows)
                rows = []
        consumer.close()

    def close(self) -> None:
        pass
