"""Contracts drafted from topics that exist: they pass the check, and ingest what the topic holds."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from headwater.draft.plan import plan_draft, write_draft
from headwater.draft.sources import NothingToDraftError, see_subject, see_topic
from pipeline.cells import Cell
from pipeline.contract.checks.product_check import check_product
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.kafka.topics import TopicMissingError
from pipeline.ledger.verify import verify_ledger
from pipeline.schemas import wire
from pipeline.schemas.open import open_registry
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table

AT_MS = 1_767_607_260_250
SCHEMA: dict[str, Any] = {"type": "record", "name": "Payment", "fields": [
    {"name": "payment_id", "type": "string"},
    {"name": "account_id", "type": "string"},
    {"name": "cents", "type": "long"},
    {"name": "paid_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
]}  # fmt: skip


def payment(number: int) -> dict[str, Any]:
    account = f"account-{number % 5}"
    return {
        "payment_id": f"p{number}",
        "account_id": account,
        "cents": number,
        "paid_at": AT_MS + number,
    }


def topic(cell: Cell, name: str, values: list[bytes]) -> None:
    """Make a topic of three partitions, as somebody else would, and fill it."""
    servers: dict[str, Any] = {"bootstrap.servers": cell.bootstrap_servers}
    config = {"retention.ms": "-1"}
    admin = AdminClient(servers)
    (made,) = admin.create_topics([NewTopic(name, 3, 1, config=config)]).values()
    made.result(30)
    producer = Producer(servers)
    for number, value in enumerate(values):
        producer.produce(name, value, f"account-{number % 5}", timestamp=AT_MS + number + 2_000)
    assert producer.flush(30) == 0


def ingested(cell: Cell, product: Product) -> list[dict[str, Any]]:
    assert check_product(product).mistakes == ()
    assert ingest(cell, product, once=True).dead_letters == 0
    assert verify_ledger(cell, product).balanced
    rows = load_table(cell, events_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(rows, key=lambda row: int(row["cents"]))


def as_avro(schema_id: int, value: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), value)
    return wire.encode(schema_id, out.getvalue())


@pytest.mark.parametrize("format_", ["json", "avro"])
def test_a_topic_becomes_a_contract_that_ingests_it(
    cell: Cell, tmp_path: Path, format_: str
) -> None:
    name = f"draft.{format_}"
    if format_ == "avro":
        schema_id = open_registry(cell).register(f"{name}-value", SCHEMA).id
        values = [as_avro(schema_id, payment(n)) for n in range(50)]
    else:
        values = [json.dumps(payment(n)).encode() for n in range(50)]
    topic(cell, name, values)
    draft = plan_draft(f"payments_{format_}", cell.name, see_topic(cell, name))
    product = load_product(write_draft(tmp_path, draft))
    assert (product.key, product.event_time, product.uuid) == (
        "account_id",
        "paid_at",
        "payment_id",
    )
    assert draft.choices.why["key"] == "the records' keys are its values"
    assert (product.topic.format, product.topic.partitions) == (format_, 3)
    assert (product.topic.retention.hot_ms, product.gates.late_s) == (-1, 3_600)
    rows = ingested(cell, product)
    assert [row["_uuid"] for row in rows] == [f"p{n}" for n in range(50)]
    assert [row["cents"] for row in rows] == [*range(50)]


def test_a_subject_becomes_a_contract(cell: Cell, tmp_path: Path) -> None:
    open_registry(cell).register("draft.subject-value", SCHEMA)
    draft = plan_draft("payments", cell.name, see_subject(cell, "draft.subject-value"))
    product = load_product(write_draft(tmp_path, draft))
    assert check_product(product).mistakes == ()
    assert product.topic.name == "draft.subject"
    assert dict(product.payload_schema) == SCHEMA


def test_what_cannot_be_drafted_is_named(cell: Cell) -> None:
    with pytest.raises(TopicMissingError):
        see_topic(cell, "draft.nowhere")
    topic(cell, "draft.empty", [])
    with pytest.raises(NothingToDraftError, match="it has no records"):
        see_topic(cell, "draft.empty")
    topic(cell, "draft.binary", [b"\x01\x02", b"\0\0\0\0\x63abc"])
    with pytest.raises(NothingToDraftError, match="neither JSON objects nor Avro"):
        see_topic(cell, "draft.binary")
