"""Topics of Avro that know no registry: single objects, told by their fingerprints, and bare binary."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Producer

from headwater.produce.generated import Order, produce_generated
from headwater.produce.model import Shares
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.dead_letters.reasons import letters_by_reason
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.products import own_product
from tests.support.single_objects import single_object

AT_MS = 1_767_607_260_250


def order(number: int, **changed: Any) -> dict[str, Any]:
    meta = {"id": f"order-{number}", "customer": number % 7, "at": AT_MS + number}
    return {"meta": meta, "amount": number / 4, "tags": ["a", "ö"][: number % 3], **changed}


def binary(product: Product, version: int, value: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, product.payload_schemas[version - 1], value)
    return out.getvalue()


def send(cell: Cell, product: Product, values: Iterable[bytes | None]) -> None:
    ensure_topic(cell, product)
    producer = Producer({"bootstrap.servers": cell.bootstrap_servers})
    for value in values:
        producer.produce(product.topic.name, value, b"k", partition=0, timestamp=AT_MS + 5_000)
    assert producer.flush(30) == 0


def read(cell: Cell, table: str) -> list[dict[str, Any]]:
    found = load_table(cell, table).scan().to_arrow().to_pylist()
    return sorted(found, key=lambda one: int(one["_offset"]))


def test_single_objects_are_read_by_the_version_that_their_fingerprint_tells(
    cell: Cell, tmp_path: Path
) -> None:
    orders = own_product("plain_orders", tmp_path)
    values = [order(n, note=f"n{n}") if n % 2 else order(n) for n in range(300)]
    versions = [2 if "note" in one else 1 for one in values]
    poison: dict[str, tuple[bytes | None, str]] = {
        "nothing": (None, "no_value"),
        "empty": (b"", "bad_framing"),
        "a marker alone": (b"\xc3\x01", "bad_framing"),
        "Confluent's framing": (b"\0\0\0\0\1" + binary(orders, 1, values[0]), "bad_framing"),
        "another schema": (b"\xc3\x01" + b"12345678", "unknown_schema"),
        "cut": (single_object(1, binary(orders, 1, values[0])[:-1]), "undecodable"),
        "too much": (single_object(1, binary(orders, 1, values[0]) + b"\0"), "undecodable"),
        "no id": (single_object(1, b""), "undecodable"),
    }
    good = [
        single_object(v, binary(orders, v, one)) for v, one in zip(versions, values, strict=True)
    ]
    send(cell, orders, [*good, *(value for value, _ in poison.values()), good[0]])
    report = ingest(cell, orders, once=True)
    assert (report.rows, report.duplicates, report.dead_letters) == (300, 1, len(poison))
    for given, version, found in zip(
        values, versions, read(cell, events_table(orders.name)), strict=True
    ):
        meta = given["meta"]
        at = datetime.fromtimestamp(meta["at"] / 1_000, UTC)
        assert (found["_uuid"], found["_key"]) == (meta["id"], str(meta["customer"]))
        assert found["_event_time"] == found["meta"]["at"] == at
        assert (found["amount"], found["tags"]) == (given["amount"], given["tags"])
        assert (found["note"], found["_schema_version"]) == (given.get("note"), version)
    reasons = [one["reason"] for one in read(cell, dead_letters_table(orders.name))]
    assert dict(zip(poison, reasons, strict=True)) == {
        n: reason for n, (_, reason) in poison.items()
    }
    assert verify_ledger(cell, orders).balanced
    assert not open_registry(cell).subjects()


def test_bare_binary_is_read_by_the_one_schema_of_the_contract(cell: Cell, tmp_path: Path) -> None:
    orders = own_product("plain_orders", tmp_path)
    path = orders.folder / "contract.yaml"
    text = path.read_text().replace("singleObject", "none")
    path.write_text(text.replace("          - schemas/payload.v1.avsc\n", ""))
    orders = load_product(orders.folder)
    values = [order(n, note=json.dumps(n)) for n in range(300)]
    send(cell, orders, [*(binary(orders, 1, one) for one in values), b"", None, b"\xff" * 30])
    report = ingest(cell, orders, once=True)
    found = read(cell, events_table(orders.name))
    assert [one["note"] for one in found] == [one["note"] for one in values]
    assert [one["_uuid"] for one in found] == [one["meta"]["id"] for one in values]
    reasons = [one["reason"] for one in read(cell, dead_letters_table(orders.name))]
    assert reasons == ["undecodable", "no_value", "undecodable"]
    produced = produce_generated(cell, orders, Order(2_000, None, 3, Shares(0, 0.02, 0.02), seed=5))
    more = ingest(cell, orders, once=True)
    assert (report.rows, more.rows, more.duplicates) == (300, produced.valid, produced.duplicates)
    made = letters_by_reason(cell, orders)
    assert sum(made.values()) == 3 + sum(produced.dead_letters.values())
    assert verify_ledger(cell, orders).balanced
