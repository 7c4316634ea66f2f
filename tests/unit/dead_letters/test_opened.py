"""What a dead letter holds is read as its writer wrote it, as far as that goes, in every format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.dead_letters.opened import Opened, Opener
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.schemas import wire
from pipeline.schemas.open import open_registry
from pipeline.schemas.texts import SchemaText
from tests.decoder.reference import encoded
from tests.decoder.registry import Schemas
from tests.support.products import CONTRACTS
from tests.support.single_objects import single_object
from tests.unit.protobuf.wire import block, framed, timestamp

TOPIC = TopicIdentity("cluster", "topic", "id", (0,))
AT = 1_767_225_600_000_000
STRICT = load_product(CONTRACTS / "strict_events")
PLAIN, JSON = load_product(CONTRACTS / "plain_orders"), load_product(CONTRACTS / "json_orders")
PROTOBUF = load_product(CONTRACTS / "protobuf_orders")
ENVELOPE_ID, NO_SCHEMA_ID, ENDLESS_ID, UNKNOWN_ID = 1, 8, 9, 99
SCHEMAS = Schemas(
    {
        ENVELOPE_ID: STRICT.envelope_schema or {},
        2: STRICT.payload_schemas[0],
        3: STRICT.payload_schemas[1],
        NO_SCHEMA_ID: {"type": "string"},
        ENDLESS_ID: {
            "type": "record",
            "name": "Endless",
            "fields": [{"name": "nulls", "type": {"type": "array", "items": "null"}}],
        },
    },
    [2, 3],
)


def opened(product: Product, value: bytes | None, registry: Any = SCHEMAS) -> Opened:
    return Opener(product, registry, TOPIC).open(RawRecord(0, 0, 0, b"s", value, ()))


def reading(**changed: Any) -> bytes:
    fields = {"sensor": "s", "at": AT, "value": 7, "note": "héllo", **changed}
    return encoded(STRICT.payload_schema, fields)


def enveloped(payload: bytes, **changed: Any) -> bytes:
    outer = {"uuid": "u-1", "key": "s", "schema_version": 2, "timestamp": AT, "payload": payload}
    body = encoded(STRICT.envelope_schema or {}, {**outer, **changed})
    return wire.encode(ENVELOPE_ID, body)


def test_a_sound_envelope_is_read_whole() -> None:
    found = opened(STRICT, enveloped(reading()))
    assert (found.whole, found.why, found.broke_at) == (True, "", None)
    assert (found.uuid, found.key, found.event_time, found.schema_id) == ("u-1", "s", AT, 1)
    assert (found.fields["value"], found.fields["note"]) == (7, "héllo")
    assert set(found.envelope) == {"uuid", "key", "schema_version", "timestamp"}


def test_a_payload_that_was_cut_is_read_up_to_where_it_was() -> None:
    body = reading()
    value = enveloped(body[:-3])
    found = opened(STRICT, value)
    assert dict(found.fields).keys() == {"sensor", "at", "value"}
    assert (found.uuid, found.key, found.event_time) == ("u-1", "s", AT)
    assert not found.whole
    assert found.why.startswith("note: ")
    # Within the field that broke, which begins three bytes and a text before the end.
    assert len(value) - len("héllo".encode()) - 2 <= found.broke_at <= len(value)  # type: ignore[operator]


def test_an_envelope_that_was_cut_says_what_stands_before() -> None:
    value = enveloped(reading())
    found = opened(STRICT, value[:8])
    assert (found.fields, found.uuid, found.whole) == ({}, None, False)
    assert found.schema_id == ENVELOPE_ID
    assert found.broke_at is not None
    assert wire.HEADER_BYTES <= found.broke_at <= 8
    named = opened(STRICT, value[: value.index(b"u-1") + 3])
    assert (named.uuid, named.key) == ("u-1", None)
    assert named.why.startswith("key: ")


def test_bytes_that_are_left_over_are_where_it_broke() -> None:
    value = enveloped(reading())
    found = opened(STRICT, value + b"\0\0")
    assert (found.broke_at, found.why) == (len(value), "2 bytes follow the value")
    inner = opened(STRICT, enveloped(reading() + b"\0"))
    assert inner.fields["value"] == 7
    assert inner.why == "1 bytes follow the value"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "the record has no value"),
        (b"", "0 bytes"),
        (b"text", "4 bytes"),
        (b"text and more", "first byte"),
        (wire.encode(UNKNOWN_ID, b"x"), "schema id 99 is not registered"),
        (wire.encode(NO_SCHEMA_ID, b"x"), "schema id 8 cannot be read by: it is no record"),
        (wire.encode(ENDLESS_ID, b"\2"), "schema id 9 cannot be read by: a few bytes"),
        (enveloped(b"", schema_version=7), "schema version 7 is not registered"),
    ],
)
def test_what_cannot_be_read_says_why(value: bytes | None, why: str) -> None:
    found = opened(STRICT, value)
    assert why in found.why
    assert (found.fields, found.whole) == ({}, False)


def bare(product: Product, **topic: Any) -> Product:
    held = product.topic.model_copy(update=topic)
    return product.model_copy(update={"topic": held})


def test_a_payload_without_an_envelope_says_key_and_time_itself() -> None:
    product = bare(STRICT, envelope=False)
    found = opened(product, wire.encode(3, reading()))
    assert (found.whole, found.key, found.event_time, found.schema_id) == (True, "s", AT, 3)
    first = wire.encode(
        2, encoded(STRICT.payload_schemas[0], {"sensor": "s", "at": AT, "value": 1})
    )
    assert "note" not in opened(product, first).fields


ORDER = {"meta": {"id": "o-1", "customer": 4, "at": AT // 1000}, "amount": 1.5, "tags": ["a"]}


def test_single_objects_and_bare_binary_of_avro_are_read_by_the_contracts_schemas() -> None:
    body = encoded(PLAIN.payload_schemas[0], ORDER)
    found = opened(PLAIN, single_object(1, body))
    assert (found.whole, found.uuid, found.key, found.event_time) == (True, "o-1", "4", AT)
    assert found.schema_id is None
    cut = opened(PLAIN, single_object(1, body[:-1]))
    assert (cut.uuid, set(cut.fields)) == ("o-1", {"meta", "amount"})
    assert cut.broke_at is not None
    assert cut.broke_at > 10
    none = bare(PLAIN, framing="none").model_copy(
        update={"payload_schemas": PLAIN.payload_schemas[:1]}
    )
    assert opened(none, body).whole
    assert opened(PLAIN, b"\xc3\x01" + bytes(8)).why.startswith("no schema of the contract")


def order(**changed: Any) -> Mapping[str, Any]:
    return {"order_id": "o-1", "customer_id": "c1", "amount": 12.5, "placed_at": AT, **changed}


def test_json_is_read_as_it_is_whatever_the_contract_says() -> None:
    text = json.dumps(order(extra=[1])).encode()
    for value in (text, wire.encode(4, text)):
        found = opened(JSON, value)
        assert (found.whole, found.uuid, found.key, found.event_time) == (True, "o-1", "c1", AT)
        assert (found.fields["amount"], found.fields["extra"]) == (Decimal("12.5"), [1])
    in_words = opened(JSON, json.dumps(order(placed_at="2026-01-01T00:00:00Z")).encode())
    assert in_words.event_time == AT


@pytest.mark.parametrize(
    ("value", "broke_at"),
    [
        (b'{"a": 1, "b" 2}', 13),
        (b'{"a": "\xff"}', 7),
        ('{"ä": 1, "b" 2}'.encode(), 14),
        (b"\0\0\0\0\4{", 6),
        (b'{"a": 1} {"a": 2}', 9),
        (b"[1]", 0),
    ],
)
def test_json_that_is_none_says_at_which_byte(value: bytes, broke_at: int) -> None:
    found = opened(JSON, value)
    assert (found.broke_at, found.fields, found.whole) == (broke_at, {}, False)
    assert found.why


def test_a_change_of_debezium_is_read_with_its_schema_beside_it_and_without() -> None:
    product = load_product(CONTRACTS / "debezium_orders")
    product = bare(product, format="json")
    change = {"op": "c", "before": None, "after": {"id": 7}, "source": {"ts_ms": AT // 1000}}
    for document in (change, {"schema": {}, "payload": change}):
        found = opened(product, json.dumps(document).encode())
        assert (found.key, found.fields["op"]) == ("7", "c")


PROTO = """
syntax = "proto3";
import "google/protobuf/timestamp.proto";
message Item { string sku = 1; int32 count = 2; }
message Order {
  google.protobuf.Timestamp placed_at = 1;
  string order_id = 2;
  string customer_id = 3;
  string country = 5;
  bytes amount = 8;
  repeated Item items = 13;
}
"""


def test_messages_of_protobuf_are_read_whole_or_not_at_all(quiet_cell: Cell) -> None:
    registry = open_registry(quiet_cell)
    schema_id = registry.register_text("orders", SchemaText("PROTOBUF", PROTO)).id
    body = timestamp(1, AT) + block(2, b"o-1") + block(3, b"c1") + block(8, b"\1\0")
    found = opened(PROTOBUF, framed(schema_id, body, b"\2\2"), registry)
    assert (found.whole, found.uuid, found.key, found.event_time) == (True, "o-1", "c1", AT)
    assert (found.schema_id, found.fields["amount"]) == (schema_id, Decimal("2.56"))
    cut = opened(PROTOBUF, framed(schema_id, body[:-1], b"\2\2"), registry)
    assert (cut.fields, cut.whole, cut.schema_id) == ({}, False, schema_id)
    assert cut.why
    unknown = opened(PROTOBUF, framed(4_000, body), registry)
    assert "4000 is not registered" in unknown.why
    assert opened(PROTOBUF, b"{}", registry).broke_at == 0
