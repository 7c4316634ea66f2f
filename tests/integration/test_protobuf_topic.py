"""Topics of Protobuf: every value that fits becomes a row of just these values, every other a dead letter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from headwater.draft.plan import plan_draft
from headwater.draft.sources import see_topic
from headwater.produce.generated import Order, produce_generated
from headwater.produce.model import Shares
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.dead_letters.reasons import letters_by_reason
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.ledger.identities import IdentityReader
from pipeline.ledger.verify import verify_ledger
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.schemas.texts import Reference, SchemaText
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.products import own_product
from tests.unit.protobuf.wire import block, double, framed, integer, timestamp

AT = 1_767_607_260_250_000
ITEM = SchemaText(
    "PROTOBUF", 'syntax = "proto3"; message Item { string sku = 1; sint32 count = 2; }'
)
PROTO = """
syntax = "proto3";
package shop;
import "item.proto";
import "google/protobuf/timestamp.proto";
message Unrelated { string a = 1; }
message Order {
  message Inside { string order_id = 1; }
  google.protobuf.Timestamp placed_at = 1;
  string order_id = 2;
  string customer_id = 3;
  string country = 5;
  bytes amount = 8;
  repeated Item items = 13;
  optional bool gift = 21;
  optional double weight = 34;
  string not_in_the_contract = 55;
}
"""


@pytest.fixture
def orders(tmp_path: Path) -> Product:
    return own_product("protobuf_orders", tmp_path / "contracts")


def register(cell: Cell, text: str = PROTO, subject: str = "a_producers_own") -> int:
    registry = open_registry(cell)
    registry.register_text("items", ITEM)
    references = (Reference("item.proto", "items", 1),) if "item.proto" in text else ()
    return registry.register_text(subject, SchemaText("PROTOBUF", text, references)).id


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
    return {
        "order_id": f"order-{number}",
        "customer_id": "c1",
        "country": "DE",
        "amount": Decimal("12.50"),
        "items": [{"sku": "a", "count": 2}, {"sku": "ö", "count": -1}],
        "placed_at": AT,
        "gift": None,
        "weight": None,
        **changed,
    }


def message(one: Mapping[str, Any]) -> bytes:
    unscaled = int(one["amount"] * 100)
    size = unscaled.bit_length() // 8 + 1
    items = [
        block(13, block(1, i["sku"].encode()) + integer(2, i["count"] << 1 ^ i["count"] >> 63))
        for i in one["items"]
    ]
    parts = [
        timestamp(1, one["placed_at"]),
        block(2, one["order_id"].encode()),
        block(3, one["customer_id"].encode()),
        block(5, one["country"].encode()),
        block(8, unscaled.to_bytes(size, "big", signed=True)),
        *items,
        b"" if one["gift"] is None else integer(21, int(one["gift"])),
        b"" if one["weight"] is None else double(34, one["weight"]),
        block(55, b"\xff passed over"),
    ]
    return b"".join(parts)


def rows(cell: Cell, product: Product) -> list[dict[str, Any]]:
    found = load_table(cell, events_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(found, key=lambda row: int(row["_offset"]))


def letters(cell: Cell, product: Product) -> dict[int, tuple[str, str, bytes | None]]:
    found = load_table(cell, dead_letters_table(product.name)).scan().to_arrow().to_pylist()
    return {row["_offset"]: (row["reason"], row["detail"], row["record_value"]) for row in found}


def test_rows_have_the_values_that_the_messages_say(cell: Cell, orders: Product) -> None:
    schema_id = register(cell)
    values = [
        order(0),
        order(1, gift=True, weight=0.1, amount=Decimal("-99999999.99")),
        order(2, items=[], gift=False, weight=0.0),
        order(3, customer_id="é\u0000\n", country=""),
        *(order(n, amount=Decimal(n) / 4, weight=n / 3) for n in range(4, 200)),
    ]
    # Message 1 of the file.
    send(cell, orders, *(framed(schema_id, message(one), b"\x02\x02") for one in values))
    report = ingest(cell, orders, once=True)
    assert (report.rows, report.dead_letters) == (len(values), 0)
    at = datetime(2026, 1, 5, 10, 1, 0, 250_000, UTC)
    for given, row in zip(values, rows(cell, orders), strict=True):
        items = [{**item, "note": None} for item in given["items"]]
        assert row["order_id"] == row["_uuid"] == given["order_id"]
        assert row["customer_id"] == row["_key"] == given["customer_id"]
        assert row["placed_at"] == row["_event_time"] == at
        assert [dict(item) for item in row["items"]] == items
        for name in ("country", "amount", "gift", "weight"):
            assert row[name] == given[name], name
        assert row["_schema_version"] == 1
    assert verify_ledger(cell, orders).balanced
    found = IdentityReader(orders, open_registry(cell)).read(
        framed(schema_id, message(order(9)).replace(b"\xff", b" "), b"\x02\x02")
    )
    assert (found.uuid, found.event_time) == ("order-9", at)


def test_what_does_not_fit_is_a_dead_letter_and_in_nobodys_way(cell: Cell, orders: Product) -> None:
    """Each between two orders, so that what is read together with it is seen to be unharmed."""
    schema_id, good = register(cell), message(order())
    avro = open_registry(cell).register("avro", {"type": "record", "name": "A", "fields": []}).id
    other = register(cell, PROTO.replace("bytes amount", "double amount"), "other")

    def of(body: bytes, indexes: bytes = b"\x02\x02") -> bytes:
        return framed(schema_id, body, indexes)

    poison: dict[str, tuple[bytes | None, str, str]] = {
        "nothing": (None, "no_value", "no value"),
        "empty": (b"", "bad_framing", "0 bytes"),
        "JSON": (b'{"order_id": 1}', "bad_framing", "first byte"),
        "a header alone": (framed(schema_id, b"", b""), "bad_framing", "without an end"),
        "indexes cut": (framed(schema_id, b"", b"\x04\x02"), "bad_framing", "without an end"),
        "an index below 0": (of(good, b"\x02\x01"), "bad_framing", "index -1"),
        "no such message": (of(good, b"\x02\x0a"), "undecodable", "no message [5]"),
        "no such inner message": (of(good, b"\x04\x02\x02"), "undecodable", "no message [1, 1]"),
        "another message": (
            of(good, b"\0"),
            "unreadable_schema",
            "shop.Unrelated has no such field",
        ),
        "unknown": (framed(4_000, good), "unknown_schema", "4000 is not registered"),
        "Avro's": (framed(avro, good), "unreadable_schema", "of type AVRO, not PROTOBUF"),
        "another type": (
            framed(other, good, b"\x02\x02"),
            "unreadable_schema",
            "amount: double is not",
        ),
        "cut": (of(good[:-1]), "undecodable", "no message shop.Order, or cut short"),
        "more": (of(good + b"\x07"), "undecodable", "no message shop.Order"),
        "no UTF-8": (of(good.replace(b"DE", b"\xff\xfe")), "undecodable", "country: text that is"),
        "no time": (of(good[len(timestamp(1, AT)) :]), "undecodable", "placed_at: not there"),
        "nanoseconds": (
            of(good + block(1, integer(2, 250_000_001))),
            "undecodable",
            "250000001 nanoseconds are no whole microseconds",
        ),
        "a time too far": (of(good + block(1, integer(1, 2**50))), "out_of_range", "years 1 to"),
        "digits too many": (
            of(good + block(8, b"\x7f" * 9)),
            "out_of_range",
            "more than 10 digits",
        ),
        "an empty key": (of(message(order(customer_id=""))), "null_key", "customer_id is null"),
        "too large": (of(good + block(60, b"x" * 1_100_000)), "payload_too_large", "over 1048576"),
    }
    sent: list[bytes | None] = []
    for number, (value, _, _) in enumerate(poison.values()):
        sent += [of(message(order(1_000 + number))), value]
    sent.append(of(message(order(2_000))))
    send(cell, orders, *sent)
    report = ingest(cell, orders, once=True)
    assert (report.rows, report.dead_letters) == (len(poison) + 1, len(poison))
    found = letters(cell, orders)
    for number, (name, (value, reason, detail)) in enumerate(poison.items()):
        told = found[2 * number + 1]
        assert (told[0], told[2]) == (reason, value), (name, told[1])
        assert detail in told[1], name
    names = [row["order_id"] for row in rows(cell, orders)]
    assert names == [f"order-{1_000 + n}" for n in range(len(poison))] + ["order-2000"]
    assert verify_ledger(cell, orders).balanced


def test_what_is_made_up_is_ingested_to_the_record(cell: Cell, orders: Product) -> None:
    produced = produce_generated(cell, orders, Order(3_000, None, 3, Shares(0, 0.02, 0.02), seed=5))
    report = ingest(cell, orders, once=True, limits=Limits(max_records=700))
    assert (report.rows, report.duplicates) == (produced.valid, produced.duplicates)
    assert letters_by_reason(cell, orders) == produced.dead_letters
    assert verify_ledger(cell, orders).balanced
    registered = open_registry(cell).text_version(orders.value_subject)
    assert "google.protobuf.Timestamp placed_at = 6;" in registered.schema.text
    seen = see_topic(cell, orders.topic.name)
    draft = plan_draft("drafted", "us", seen)
    assert (draft.choices.key, draft.choices.event_time) == (orders.key, orders.event_time)
    assert draft.files["schemas/value.v1.proto"] == registered.schema.text


def test_writers_of_two_versions_are_read_beside_each_other(cell: Cell, orders: Product) -> None:
    older = register(cell)
    newer = register(cell, PROTO.replace("optional double", "string channel = 40; optional double"))
    send(cell, orders, framed(older, message(order(1)), b"\x02\x02"))
    told = message(order(2)) + block(40, b"app")
    send(cell, orders, framed(newer, told, b"\x02\x02"))
    ingest(cell, orders, once=True)
    assert "channel" not in rows(cell, orders)[0], "what the contract does not have is passed over"
    contract = orders.folder / "contract.yaml"
    first = "          - schemas/payload.v1.avsc\n"
    text = contract.read_text().replace(first, first + first.replace("v1", "v2"))
    contract.write_text(
        text + "      - {name: channel, logicalType: string, description: Where.}\n"
    )
    listed = load_product(orders.folder)
    send(cell, listed, framed(older, message(order(3)), b"\x02\x02"))
    send(cell, listed, framed(newer, message(order(4)) + block(40, b"app"), b"\x02\x02"))
    ingest(cell, listed, once=True)
    found = [
        (row["order_id"], row["channel"], row["_schema_version"]) for row in rows(cell, listed)
    ]
    assert found == [
        ("order-1", None, 1),
        ("order-2", None, 1),
        ("order-3", "web", 2),
        ("order-4", "app", 2),
    ]
