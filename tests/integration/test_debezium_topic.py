"""Topics of Debezium: each change is a row, in Avro and in JSON, and so is the tombstone after a delete."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from pyspark.sql import SparkSession

from headwater.produce.generated import Order, produce_generated
from headwater.produce.model import Shares
from pipeline.batch.model import Source
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.dead_letters.reasons import letters_by_reason
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.settings import PROJECT
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table, product_table
from tests.support.hour_builds import Opinion, build, hour_context
from tests.support.products import own_product

AT_MS = 1_767_607_260_250
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEY = {"type": "record", "name": "Key", "fields": [{"name": "id", "type": "long"}]}
Encode = Callable[[Mapping[str, Any]], bytes]


def topic_of(folder: Path, form: str) -> Product:
    product = own_product("debezium_orders", folder)
    path = product.folder / "contract.yaml"
    path.write_text(path.read_text().replace("format: json", f"format: {form}"))
    return load_product(product.folder)


def row(number: int, **changed: Any) -> dict[str, Any]:
    some = {"id": number, "customer": f"c{number}", "amount": number / 4, "note": None}
    return {**some, "placed_at": AT_MS * 1_000 + number, **changed}


def change(op: str, before: Any, after: Any, number: int) -> dict[str, Any]:
    source = {"version": "3.0", "connector": "postgresql", "name": "shop", "ts_ms": AT_MS + number}
    where = {
        "snapshot": "false",
        "db": "shop",
        "table": "orders",
        "txId": number,
        "lsn": 9_000 + number,
        "sequence": f'["{number}"]',
    }
    return {
        "before": before,
        "after": after,
        "source": {**source, **where},
        "op": op,
        "ts_ms": AT_MS + number + 40,
    }


def life(number: int) -> list[dict[str, Any] | None]:
    """Return what becomes of one order: read, updated, deleted; and the tombstone."""
    first, second = row(number), row(number, note="paid", amount=7.5)
    return [
        change("r", None, first, 10 * number),
        change("u", first, second, 10 * number + 1),
        change("d", {**second, "customer": ""}, None, 10 * number + 2),
        None,
    ]


def send(
    cell: Cell,
    product: Product,
    records: Iterable[tuple[bytes, bytes | None]],
    late_ms: int = 5_000,
) -> None:
    ensure_topic(cell, product)
    producer = Producer({"bootstrap.servers": cell.bootstrap_servers})
    for key, value in records:
        producer.produce(product.topic.name, value, key, partition=0, timestamp=AT_MS + late_ms)
    assert producer.flush(30) == 0


def avro_of(cell: Cell, subject: str, schema: Any) -> Encode:
    """Return what Confluent's serializer would write, by fastavro."""
    schema_id, parsed = (
        open_registry(cell).register(subject, schema).id,
        fastavro.parse_schema(schema),
    )

    def encode(value: Mapping[str, Any]) -> bytes:
        out = io.BytesIO(b"\0" + schema_id.to_bytes(4, "big"))
        out.seek(5)
        fastavro.schemaless_writer(out, parsed, value)
        return out.getvalue()

    return encode


def encoders(cell: Cell, product: Product) -> tuple[Encode, Encode]:
    """Return how keys and values are written."""
    if product.topic.format == "avro":
        topic = product.topic.name
        value = avro_of(cell, f"{topic}-value", dict(product.payload_schema))
        return avro_of(cell, f"{topic}-key", KEY), value
    return (lambda one: json.dumps(one).encode(),) * 2


def connect(value: Mapping[str, Any]) -> bytes:
    """Return JSON as Kafka Connect's converter writes it with `schemas.enable`."""
    schema = {"type": "struct", "name": "shop.public.orders.Envelope", "fields": [{"field": "op"}]}
    return json.dumps({"schema": schema, "payload": value}).encode()


def rows(cell: Cell, product: Product) -> list[dict[str, Any]]:
    found = load_table(cell, events_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(found, key=lambda one: int(one["_offset"]))


@pytest.mark.parametrize("form", ["json", "json with schemas", "avro"])
def test_changes_and_tombstones_are_rows_of_just_what_was_sent(
    cell: Cell, tmp_path: Path, form: str
) -> None:
    orders = topic_of(tmp_path, form.partition(" ")[0])
    keyed, valued = (connect, connect) if "schemas" in form else encoders(cell, orders)
    sent = [(number, one) for number in range(1, 60) for one in life(number)]
    send(
        cell, orders, ((keyed({"id": n}), None if one is None else valued(one)) for n, one in sent)
    )
    report = ingest(cell, orders, once=True)
    assert (report.rows, report.dead_letters) == (len(sent), 0)
    for (number, given), found in zip(sent, rows(cell, orders), strict=True):
        assert found["_key"] == str(number)
        at = AT_MS + 5_000 if given is None else given["source"]["ts_ms"]
        assert found["_event_time"] == datetime.fromtimestamp(at / 1_000, UTC)
        for name in ("before", "after", "source", "op", "ts_ms"):
            assert found[name] == (None if given is None else given[name])
    assert len({one["_uuid"] for one in rows(cell, orders)}) == len(sent)
    assert verify_ledger(cell, orders).balanced


def test_what_is_no_change_is_a_dead_letter_and_in_nobodys_way(cell: Cell, tmp_path: Path) -> None:
    orders = topic_of(tmp_path, "json")
    good = json.dumps(change("c", None, row(1), 1)).encode()
    key = b'{"id": 1}'
    poison: dict[str, tuple[bytes, bytes | None, str]] = {
        "no change": (key, b'{"id": 1}', "undecodable"),
        "no op": (
            key,
            json.dumps(change("c", None, row(1), 1) | {"op": None}).encode(),
            "undecodable",
        ),
        "no row": (key, json.dumps(change("t", None, None, 1)).encode(), "null_key"),
        "payload of no change": (key, connect({"id": 1}), "undecodable"),
        "a payload that is nothing": (key, b'{"schema": null, "payload": null}', "undecodable"),
        "an empty key": (b"", None, "null_key"),
        "a key of another table": (b'{"number": 1}', None, "null_key"),
        "a key that is a list": (b"[1]", None, "null_key"),
        "a key of no schema": (b"\0\0\0\0\7\2", None, "null_key"),
        "a time past all years": (
            key,
            json.dumps(
                change("c", None, row(1), 1)
                | {"source": {**change("c", None, None, 1)["source"], "ts_ms": 2**62}}
            ).encode(),
            "out_of_range",
        ),
    }
    sent: list[tuple[bytes, bytes | None]] = []
    for one_key, value, _ in poison.values():
        sent += [(key, good), (one_key, value)]
    # A key may be its text alone, as Connect's converters of texts and of numbers write it.
    send(cell, orders, [*sent, (b"1", None), (b'{"schema": {}, "payload": {"id": 1}}', None)])
    report = ingest(cell, orders, once=True)
    letters = load_table(cell, dead_letters_table(orders.name)).scan().to_arrow().to_pylist()
    reasons = {one["_offset"]: one["reason"] for one in letters}
    told = {name: reasons.get(2 * n + 1) for n, name in enumerate(poison)}
    assert told == {name: reason for name, (_, _, reason) in poison.items()}
    assert report.rows == len(poison) + 2
    assert {one["_key"] for one in rows(cell, orders)} == {"1"}
    assert verify_ledger(cell, orders).balanced


def test_changes_are_made_up_that_could_follow_each_other(cell: Cell, tmp_path: Path) -> None:
    orders = topic_of(tmp_path, "avro")
    ensure_topic(cell, orders)
    produced = produce_generated(cell, orders, Order(2_000, None, 3, Shares(0, 0, 0.02), seed=5))
    ingest(cell, orders, once=True)
    assert letters_by_reason(cell, orders) == produced.dead_letters
    state: dict[Any, Any] = {}
    seen = set()
    for one in sorted(rows(cell, orders), key=lambda one: one["_event_time"]):
        seen.add(one["op"])
        assert (one["before"] is None) == (one["op"] in ("c", None))
        state[one["_key"]] = one["after"]
    assert {"c", "u", "d"} <= seen


def test_a_derived_table_has_the_rows_that_there_are_at_the_end_of_each_hour(
    cell: Cell, spark: SparkSession, tmp_path: Path
) -> None:
    orders = own_product("debezium_orders", tmp_path, tables=["orders_current"])
    hours: list[list[tuple[int, dict[str, Any] | None]]] = [
        [(n, one) for n in (1, 2) for one in life(n)[: 2 * n]]
        + [(3, change("c", None, row(3), 30))],
        [(1, change("d", row(1), None, 9)), (1, None), (4, change("c", None, row(4), 40))],
        [(3, change("u", row(3), row(3, amount=1.5, note="late"), 31))],
    ]
    for late, changes in enumerate(hours):
        records: list[tuple[bytes, bytes | None]] = []
        for number, one in changes:
            if one is not None:
                one["source"]["ts_ms"] += 3_600_000 * late
            value = None if one is None else json.dumps(one).encode()
            records.append((json.dumps({"id": number}).encode(), value))
        send(cell, orders, records, 3_600_000 * late + 5_000)
    ingest(cell, orders, once=True)
    table = orders.derived_tables[0]
    assert table.logic.text in (PROJECT / "docs" / "how-to" / "debezium.md").read_text()
    snapshot = load_table(cell, events_table(orders.name)).metadata.current_snapshot_id or 0
    state: dict[int, dict[str, Any]] = {}
    for late, changes in enumerate(hours):
        at = datetime(2026, 1, 5, 10 + late, tzinfo=UTC)
        source = Source(snapshot, len(changes))
        build(hour_context(spark, cell, orders, table, at, source), lambda _: Opinion(met=1))
        for number, one in changes:
            if one is not None:
                state[number] = one["after"]
        published = load_table(cell, product_table(orders.name, table.name)).scan().to_arrow()
        rows_of_hour = [one for one in published.to_pylist() if one.pop("hour") == at]
        assert {one["id"]: one for one in rows_of_hour} == {
            number: {**after, "placed_at": EPOCH + timedelta(microseconds=after["placed_at"])}
            for number, after in state.items()
            if after is not None
        }
