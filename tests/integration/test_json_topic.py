"""Topics of JSON: every value that fits becomes a row of just these values, every other a dead letter."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from headwater.produce.generated import Order, produce_generated
from headwater.produce.model import Shares
from pipeline.cells import Cell
from pipeline.contract.load import ContractError, load_product
from pipeline.contract.model import Product
from pipeline.dead_letters.reasons import letters_by_reason
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.produce.topic import ensure_topic
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.products import own_product

FRAMING = b"\0\0\0\0\7"
ORDER: dict[str, Any] = {
    "order_id": "3f0c2f0e-6d0c-4f62-9a53-0d9f0d4a6a01",
    "customer_id": "c1",
    "country": "DE",
    "amount": 12.5,
    "placed_at": "2026-01-05T10:01:00.250Z",
    "items": [{"sku": "a", "count": 2}, {"sku": "ö", "count": 1, "note": '\u2028 "x"'}],
}


@pytest.fixture
def orders(tmp_path: Path) -> Product:
    return own_product("json_orders", tmp_path / "contracts")


def send(cell: Cell, product: Product, *values: bytes | None) -> None:
    """Send records to partition 0, in order, 2 s after the orders."""
    ensure_topic(cell, product)
    producer = Producer(
        {"bootstrap.servers": cell.bootstrap_servers, "message.max.bytes": 4_000_000}
    )
    for value in values:
        producer.produce(product.topic.name, value, b"k", partition=0, timestamp=1_767_607_262_000)
    assert producer.flush(30) == 0


def order(number: int = 1, **changed: Any) -> dict[str, Any]:
    return {**ORDER, "order_id": f"order-{number}", **changed}


def encoded(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def rows(cell: Cell, product: Product) -> list[dict[str, Any]]:
    found = load_table(cell, events_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(found, key=lambda row: int(row["_offset"]))


def letters(cell: Cell, product: Product) -> dict[int, tuple[str, bytes | None]]:
    found = load_table(cell, dead_letters_table(product.name)).scan().to_arrow().to_pylist()
    return {row["_offset"]: (row["reason"], row["record_value"]) for row in found}


def test_rows_have_the_values_that_the_json_says(cell: Cell, orders: Product) -> None:
    values = [
        order(0),
        order(1, amount="7.99", gift=True, weight=1, unknown={"a": [1, {"b": None}]}),
        order(2, placed_at=1_767_607_260_250_000, items=[]),
        order(3, placed_at="2026-01-05T11:01:00.25+01:00", weight=0.1, gift=None),
        order(4, amount=99_999_999.99, customer_id="é\u0000\n"),
        *(order(n, amount=n / 4, weight=n / 3) for n in range(5, 200)),
    ]
    shapes: list[Callable[[Mapping[str, Any]], bytes]] = [
        lambda one: json.dumps(one, indent=2).encode(),
        lambda one: FRAMING + encoded(one),
        encoded,
        lambda one: b" \r\n\t" + json.dumps(one, ensure_ascii=False).encode() + b"\n",
    ]
    send(cell, orders, *(shapes[n % 4](one) for n, one in enumerate(values)))
    report = ingest(cell, orders, once=True)
    assert (report.rows, report.dead_letters) == (len(values), 0)
    at = datetime(2026, 1, 5, 10, 1, 0, 250_000, UTC)
    for given, row in zip(values, rows(cell, orders), strict=True):
        items = [{"note": None, **item} for item in given["items"]]
        assert row["order_id"] == row["_uuid"] == given["order_id"]
        assert row["customer_id"] == row["_key"] == given["customer_id"]
        assert row["amount"] == Decimal(str(given["amount"])).quantize(Decimal("0.01"))
        assert row["placed_at"] == row["_event_time"] == at
        assert [dict(item) for item in row["items"]] == items
        assert (row["gift"], row["weight"]) == (given.get("gift"), given.get("weight"))
        assert row["_schema_version"] == 1
    assert verify_ledger(cell, orders).balanced


POISON: dict[str, tuple[bytes | None, str]] = {
    "nothing": (None, "no_value"),
    "empty": (b"", "undecodable"),
    "no JSON": (b"order", "undecodable"),
    "an array": (b"[1]", "undecodable"),
    "a text": (b'"{}"', "undecodable"),
    "two objects": (encoded(order(1)) + encoded(order(2)), "undecodable"),
    "cut": (encoded(order())[:-1], "undecodable"),
    "brackets of two kinds": (b'{"order_id": [}]', "undecodable"),
    "no UTF-8": (encoded(order()).replace(b"DE", b"\xff\xfe"), "undecodable"),
    "half a character": (encoded(order()).replace(b"DE", b"\\ud800"), "undecodable"),
    "deep": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "undecodable"),
    "a name twice": (encoded(order())[:-1] + b', "country": "FR"}', "undecodable"),
    "a field missing": (
        encoded({k: v for k, v in order().items() if k != "country"}),
        "undecodable",
    ),
    "another type": (encoded(order(items="none")), "undecodable"),
    "a digit too many": (encoded(order(amount=1.005)), "undecodable"),
    "too large a number": (encoded(order(amount=1e30)), "undecodable"),
    "no such day": (encoded(order(placed_at="2026-02-30T00:00:00Z")), "undecodable"),
    "the year 10000": (encoded(order(placed_at=253_402_300_800_000_000)), "out_of_range"),
    "an empty key": (encoded(order(customer_id="")), "null_key"),
    "too long": (encoded(order(country="x" * 1_100_000)), "payload_too_large"),
    "a framing alone": (FRAMING, "undecodable"),
}


def test_what_does_not_fit_is_a_dead_letter_and_in_nobodys_way(cell: Cell, orders: Product) -> None:
    """Each between two orders, so that what is read together with it is seen to be unharmed."""
    sent: list[bytes | None] = []
    for number, (value, _) in enumerate(POISON.values()):
        sent += [encoded(order(1_000 + number)), value]
    sent.append(encoded(order(2_000)))
    send(cell, orders, *sent)
    report = ingest(cell, orders, once=True)
    assert (report.rows, report.dead_letters) == (len(POISON) + 1, len(POISON))
    found = letters(cell, orders)
    told = {name: found[2 * n + 1] for n, name in enumerate(POISON)}
    assert told == {name: (reason, value) for name, (value, reason) in POISON.items()}
    names = [row["order_id"] for row in rows(cell, orders)]
    assert names == [f"order-{1_000 + n}" for n in range(len(POISON))] + ["order-2000"]
    assert verify_ledger(cell, orders).balanced


def test_what_is_made_up_is_ingested_to_the_record(cell: Cell, orders: Product) -> None:
    produced = produce_generated(cell, orders, Order(3_000, None, 3, Shares(0, 0.02, 0.02), seed=5))
    report = ingest(cell, orders, once=True, limits=Limits(max_records=700))
    assert (report.rows, report.duplicates) == (produced.valid, produced.duplicates)
    assert letters_by_reason(cell, orders) == produced.dead_letters
    assert verify_ledger(cell, orders).balanced


def test_a_new_field_is_read_where_it_is_and_is_its_default_where_it_is_not(
    cell: Cell, orders: Product
) -> None:
    send(cell, orders, encoded(order(1)), encoded(order(2, channel="app")))
    ingest(cell, orders, once=True)
    assert "channel" not in rows(cell, orders)[0], "what the contract does not have is passed over"
    contract = orders.folder / "contract.yaml"
    text = contract.read_text()
    first = "          - schemas/payload.v1.avsc\n"
    text = text.replace(first, first + first.replace("v1", "v2"))
    contract.write_text(
        text + "      - {name: channel, logicalType: string, description: Where.}\n"
    )
    newer = load_product(orders.folder)
    send(cell, newer, encoded(order(3)), encoded(order(4, channel="app")))
    ingest(cell, newer, once=True)
    found = [(row["order_id"], row["channel"], row["_schema_version"]) for row in rows(cell, newer)]
    assert found == [
        ("order-1", None, 1),
        ("order-2", None, 1),
        ("order-3", "web", 2),
        ("order-4", "app", 2),
    ]


def test_an_envelope_is_of_avro_alone(tmp_path: Path) -> None:
    folder = tmp_path / "strict_events"
    shutil.copytree(Path(__file__).parent.parent / "data" / "contracts" / "strict_events", folder)
    contract = folder / "contract.yaml"
    text = contract.read_text()
    assert "        envelope:" in text
    contract.write_text(
        text.replace("        envelope:", "        format: json\n        envelope:", 1)
    )
    with pytest.raises(ContractError, match="avro: an envelope is of no other format"):
        load_product(folder)
