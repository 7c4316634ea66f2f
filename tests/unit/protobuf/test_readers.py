"""Messages as rows: every type by a wire format written by hand, and bytes that are none."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.protobuf.readings import Readings
from tests.unit.protobuf.wire import (
    block,
    double,
    fixed32,
    integer,
    timestamp,
    varint,
    zigzag,
)

MICROS = {"type": "long", "logicalType": "timestamp-micros"}
PROTO = """
syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message All {
  string text = 1;
  int64 long = 2;
  int32 int = 3;
  uint64 unsigned = 4;
  sint64 signed = 5;
  fixed32 fixed = 6;
  double number = 7;
  float single = 8;
  bool flag = 9;
  bytes raw = 10;
  optional string note = 11;
  google.protobuf.Timestamp at = 12;
  Kind kind = 13;
  Inner inner = 14;
  repeated string tags = 15;
  repeated sint32 counts = 16;
  repeated Inner parts = 17;
  map<string, double> prices = 18;
  map<int32, Inner> by_number = 19;
  google.protobuf.Int64Value wrapped = 20;
  bytes amount = 21;
  oneof choice { int64 one = 22; string other = 23; }
  repeated google.protobuf.StringValue names = 24;
  int32 day = 25;
}
enum Kind { KIND_NONE = 0; KIND_A = 1; KIND_B = 5; KIND_LOW = -2; }
message Inner { int64 a = 1; optional string b = 2; repeated int64 c = 3; google.protobuf.Timestamp at = 4; }
"""
INNER = {
    "type": "record",
    "name": "Inner",
    "fields": [
        {"name": "a", "type": "long"},
        {"name": "b", "type": ["null", "string"]},
        {"name": "c", "type": {"type": "array", "items": "long"}},
        {"name": "at", "type": ["null", MICROS]},
    ],
}
ENTRY = {
    "type": "record",
    "name": "Entry",
    "fields": [{"name": "key", "type": "int"}, {"name": "value", "type": "Inner"}],
}
FIELDS: list[dict[str, Any]] = [
    {"name": "text", "type": "string"},
    {"name": "long", "type": "long"},
    {"name": "int", "type": "int"},
    {"name": "unsigned", "type": "long"},
    {"name": "signed", "type": "long"},
    {"name": "fixed", "type": "long"},
    {"name": "number", "type": "double"},
    {"name": "single", "type": "double"},
    {"name": "flag", "type": "boolean"},
    {"name": "raw", "type": "bytes"},
    {"name": "note", "type": ["null", "string"]},
    {"name": "at", "type": MICROS},
    {"name": "kind", "type": "string"},
    {"name": "inner", "type": ["null", INNER]},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "counts", "type": {"type": "array", "items": "int"}},
    {"name": "parts", "type": {"type": "array", "items": "Inner"}},
    {"name": "prices", "type": {"type": "map", "values": "double"}},
    {"name": "by_number", "type": {"type": "array", "items": ENTRY}},
    {"name": "wrapped", "type": ["null", "long"]},
    {
        "name": "amount",
        "type": {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 2},
        "default": "\u0000",
    },
    {"name": "one", "type": ["null", "long"]},
    {"name": "names", "type": {"type": "array", "items": "string"}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "added", "type": "string", "default": "later"},
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
TEXTS = st.text(max_size=20)
TIMES = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
FLOATS = st.floats(allow_nan=False, width=32)


@st.composite
def inners(draw: st.DrawFn) -> tuple[bytes, dict[str, Any]]:
    a, b = draw(LONGS), draw(st.none() | TEXTS)
    c, at = draw(st.lists(LONGS, max_size=3)), draw(st.none() | TIMES)
    parts = [integer(1, a), *(integer(3, one) for one in c)]
    parts += [] if b is None else [block(2, b.encode())]
    parts += [] if at is None else [timestamp(4, at)]
    when = None if at is None else EPOCH + timedelta(microseconds=at)
    return b"".join(parts), {"a": a, "b": b, "c": c, "at": when}


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, dict[str, Any]]:
    text, long, int_ = draw(TEXTS), draw(LONGS), draw(INTS)
    unsigned, fixed = draw(st.integers(0, 2**63 - 1)), draw(st.integers(0, 2**32 - 1))
    number, single, flag = draw(st.floats(allow_nan=False)), draw(FLOATS), draw(st.booleans())
    raw, note, at = draw(st.binary(max_size=20)), draw(st.none() | TEXTS), draw(TIMES)
    kind = draw(st.sampled_from([(0, "KIND_NONE"), (1, "KIND_A"), (5, "KIND_B"), (-2, "KIND_LOW")]))
    inner = draw(st.none() | inners())
    tags, counts = draw(st.lists(TEXTS, max_size=4)), draw(st.lists(INTS, max_size=4))
    parts = draw(st.lists(inners(), max_size=3))
    prices = draw(st.dictionaries(TEXTS, st.floats(allow_nan=False), max_size=3))
    by_number = draw(st.dictionaries(INTS, inners(), max_size=2))
    wrapped, amount = draw(st.none() | LONGS), draw(st.integers(-(10**20) + 1, 10**20 - 1))
    one = draw(st.none() | LONGS)
    names = draw(st.lists(TEXTS, max_size=2))
    day = draw(st.integers(-719_162, 2_932_896))
    unscaled = amount.to_bytes(draw(st.integers(9, 17)), "big", signed=True)
    body = [
        block(1, text.encode()),
        integer(2, long),
        integer(3, int_),
        integer(4, unsigned),
        varint(5 << 3) + zigzag(signed := draw(LONGS)),
        fixed32(6, fixed.to_bytes(4, "little")),
        double(7, number),
        fixed32(8, struct.pack("<f", single)),
        integer(9, int(flag)),
        block(10, raw),
        timestamp(12, at),
        integer(13, kind[0]),
        block(21, unscaled),
        integer(25, day),
        # What the schema does not know is passed over.
        integer(900, draw(LONGS)),
        block(901, draw(st.binary(max_size=9))),
        *(block(15, tag.encode()) for tag in tags),
        *(block(17, part) for part, _ in parts),
        *(block(18, block(1, key.encode()) + double(2, price)) for key, price in prices.items()),
        *(block(19, integer(1, key) + block(2, part)) for key, (part, _) in by_number.items()),
        *(block(24, block(1, name.encode()) if name else b"") for name in names),
    ]
    if draw(st.booleans()):
        body.append(block(16, b"".join(zigzag(one) for one in counts)))
    else:
        body += [varint(16 << 3) + zigzag(one) for one in counts]
    body += [] if note is None else [block(11, note.encode())]
    body += [] if inner is None else [block(14, inner[0])]
    body += [] if wrapped is None else [block(20, integer(1, wrapped) if wrapped else b"")]
    body += [] if one is None else [integer(22, one)]
    expected = {
        "text": text,
        "long": long,
        "int": int_,
        "unsigned": unsigned,
        "signed": signed,
        "fixed": fixed,
        "number": number,
        "single": single,
        "flag": flag,
        "raw": raw,
        "note": note,
        "at": EPOCH + timedelta(microseconds=at),
        "kind": kind[1],
        "inner": None if inner is None else inner[1],
        "tags": tags,
        "counts": counts,
        "parts": [part for _, part in parts],
        "prices": [*prices.items()],
        "by_number": [{"key": key, "value": part} for key, (_, part) in by_number.items()],
        "wrapped": wrapped,
        "amount": Decimal(amount).scaleb(-2),
        "one": one,
        "names": names,
        "day": (EPOCH + timedelta(days=day)).date(),
        "added": "later",
    }
    return b"".join(body), expected


@pytest.fixture(scope="module")
def readings() -> Readings:
    return Readings(PROTO, FIELDS)


@settings(max_examples=150, deadline=None)
@given(drawn=st.lists(messages(), min_size=1, max_size=4))
def test_both_readers_read_what_was_written(
    readings: Readings, drawn: list[tuple[bytes, dict[str, Any]]]
) -> None:
    bodies, expected = [body for body, _ in drawn], [row for _, row in drawn]
    assert readings.columns(bodies) == expected
    assert [readings.single(body) for body in bodies] == expected


@settings(max_examples=400, deadline=None)
@given(data=st.data(), drawn=messages())
def test_columns_take_of_spoiled_bytes_nothing_that_the_last_word_does_not(
    readings: Readings, data: st.DataObject, drawn: tuple[bytes, dict[str, Any]]
) -> None:
    body, _ = drawn
    spoiled = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(spoiled)))
        match data.draw(st.sampled_from(["cut", "put", "change", "repeat", "drop"])):
            case "cut":
                del spoiled[at:]
            case "put":
                spoiled[at:at] = data.draw(st.binary(min_size=1, max_size=4))
            case "change" if at < len(spoiled):
                spoiled[at] ^= data.draw(st.integers(1, 255))
            case "repeat":
                spoiled += spoiled[at:]
            case "drop":
                del spoiled[at : at + data.draw(st.integers(1, 4))]
    found = readings.columns([bytes(spoiled), body])
    assert found[1] is not None
    # By their texts: NaN is not itself.
    assert found[0] is None or repr(found[0]) == repr(readings.single(bytes(spoiled)))


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=60))
def test_columns_take_of_any_bytes_nothing_that_the_last_word_does_not(
    readings: Readings, body: bytes
) -> None:
    (found,) = readings.columns([timestamp(12, 0) + body])
    assert found is None or repr(found) == repr(readings.single(timestamp(12, 0) + body))
