"""Which messages are rows, by their schema and the record's; what is none says which field, and why."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.protobuf.plan import UnreadableSchemaError
from tests.unit.protobuf.readings import Readings
from tests.unit.protobuf.wire import block, fixed32, integer, timestamp, varint

MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}


def both(proto: str, type_: Any, body: bytes, **more: Any) -> Any:
    """Return what field `x` is; both readers agree, or columns leave it."""
    readings = Readings(proto, [{"name": "x", "type": type_, **more}])
    (found,), told = readings.columns([body]), readings.single(body)
    assert found is None or found == told
    return told if isinstance(told, str) else told["x"]


def message(fields: str, syntax: str = "proto3") -> str:
    imports = "".join(
        f'import "google/protobuf/{name}.proto";' for name in ("timestamp", "wrappers", "any")
    )
    others = "enum E { NONE = 0; A = 1; } message N { int64 a = 1; }"
    return f'syntax = "{syntax}"; {imports} message M {{ {fields} }} {others}'


@pytest.mark.parametrize(
    ("fields", "type_", "body", "expected"),
    [
        ("int64 x = 1;", "long", b"", 0),
        ("string x = 1;", "string", b"", ""),
        ("repeated int64 x = 1;", {"type": "array", "items": "long"}, b"", []),
        ("repeated int64 x = 1;", ["null", {"type": "array", "items": "long"}], b"", []),
        ("optional int64 x = 1;", ["null", "long"], b"", None),
        ("optional int64 x = 1;", ["null", "long"], integer(1, 0), 0),
        ("optional int64 x = 1;", "long", b"", "x: not there, and it has no default"),
        ("E x = 1;", "string", b"", "NONE"),
        (
            "E x = 1;",
            {"type": "enum", "name": "E", "symbols": ["A"]},
            b"",
            "x: number 0 (NONE) is no symbol, and there is no default",
        ),
        (
            "E x = 1;",
            {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"},
            integer(1, 9),
            "A",
        ),
        ("E x = 1;", "string", integer(1, 9), "x: number 9 is no symbol, and there is no default"),
        ("E x = 1;", "int", integer(1, 9), 9),
        ("uint64 x = 1;", "long", integer(1, 2**63 - 1), 2**63 - 1),
        ("uint64 x = 1;", "long", integer(1, 2**63), "x: an integer outside those of long"),
        ("fixed64 x = 1;", "long", b"\x09" + b"\xff" * 8, "x: an integer outside those of long"),
        ("uint32 x = 1;", "int", integer(1, 2**31), "x: an integer outside those of int"),
        ("int64 x = 1;", "int", integer(1, -(2**31)), -(2**31)),
        ("int32 x = 1;", "long", integer(1, 2**32 + 5), 5),
        ("string x = 1;", "string", block(1, b"\xff"), "x: text that is not UTF-8"),
        ("string x = 1;", "string", b"\x0a\x05a", "no message M, or cut short"),
        ("string x = 1;", "string", integer(1, 5), ""),
        (
            "bytes x = 1;",
            {"type": "fixed", "name": "F", "size": 2},
            block(1, b"abc"),
            "x: 3 bytes, not 2",
        ),
        (
            "google.protobuf.Timestamp x = 1;",
            MILLIS,
            block(1, integer(2, 1_000)),
            "x: 1000 nanoseconds are no whole milliseconds",
        ),
        (
            "google.protobuf.Timestamp x = 1;",
            MICROS,
            block(1, integer(2, -1)),
            "x: -1 nanoseconds of a second",
        ),
        (
            "google.protobuf.Timestamp x = 1;",
            MICROS,
            block(1, integer(1, 2**62)),
            "x: a timestamp-micros outside years 1 to 9999",
        ),
        ("google.protobuf.Timestamp x = 1;", ["null", MICROS], b"", None),
        ("google.protobuf.Timestamp x = 1;", MICROS, b"", "x: not there, and it has no default"),
        ("google.protobuf.Int64Value x = 1;", ["null", "long"], b"", None),
        ("google.protobuf.Int64Value x = 1;", ["null", "long"], block(1, b""), 0),
        (
            "N x = 1;",
            ["null", {"type": "record", "name": "N", "fields": [{"name": "a", "type": "long"}]}],
            block(1, integer(1, 1)) + block(1, b""),
            {"a": 1},
        ),
        (
            "oneof o { int64 x = 1; string y = 2; }",
            ["null", "long"],
            integer(1, 5) + block(2, b"y"),
            None,
        ),
        (
            "oneof o { int64 x = 1; N y = 2; }",
            ["null", "long"],
            block(2, b"\xff") + integer(1, 5),
            5,
        ),
        (
            "map<string, int64> x = 1;",
            {"type": "map", "values": "long"},
            block(1, block(1, b"k") + integer(2, 1)) * 2 + block(1, block(1, b"k")),
            [("k", 0)],
        ),
        (
            "map<string, int64> x = 1;",
            {"type": "map", "values": "long"},
            block(1, block(1, b"\xff")),
            "x{}.key: text that is not UTF-8",
        ),
        (
            "map<string, N> x = 1;",
            {
                "type": "map",
                "values": {
                    "type": "record",
                    "name": "N",
                    "fields": [{"name": "a", "type": "long"}],
                },
            },
            block(1, block(1, b"k")),
            [("k", {"a": 0})],
        ),
    ],
)
def test_values(fields: str, type_: Any, body: bytes, expected: Any) -> None:
    assert both(message(fields), type_, body) == expected


def test_a_field_that_the_schema_has_not_is_its_default_or_null() -> None:
    assert both(message("int64 y = 1;"), ["null", "long"], b"") is None
    assert both(message("int64 y = 1;"), MILLIS, b"", default=5).microsecond == 5_000


def test_a_field_is_found_by_an_alias() -> None:
    assert both(message("int64 old = 1;"), "long", integer(1, 5), aliases=["old"]) == 5


def test_proto2_says_what_is_there() -> None:
    proto = (
        message("optional int64 x = 1 [default = 7];", "proto2")
        .replace("message N", "message O { required string s = 1; } message N")
        .replace("int64 a", "optional int64 a")
    )
    assert both(proto, ["null", "long"], b"") is None
    assert both(proto, "long", b"", default=3) == 3
    assert both(proto, "long", integer(1, 4)) == 4


@pytest.mark.parametrize(
    ("fields", "type_", "why"),
    [
        ("int64 y = 1;", "long", "x: M has no such field, and it has no default"),
        ("string x = 1;", "long", "x: string is not read as long"),
        ("int64 x = 1;", "double", "x: int64 is not read as double"),
        ("int64 x = 1;", {"type": "array", "items": "long"}, "x: int64 is not read as array"),
        ("repeated int64 x = 1;", "long", "x: repeated is not read as long"),
        (
            "map<int32, int64> x = 1;",
            {"type": "map", "values": "long"},
            "x: a map by int32 is not read as a map, whose keys are texts",
        ),
        (
            "google.protobuf.Any x = 1;",
            [
                "null",
                {"type": "record", "name": "Any", "fields": [{"name": "value", "type": "bytes"}]},
            ],
            "x: google.protobuf.Any is not read: its type is in each value",
        ),
        (
            "google.protobuf.Timestamp x = 1;",
            "string",
            "x: a google.protobuf.Timestamp is not read as string",
        ),
    ],
)
def test_schemas_that_are_not_read(fields: str, type_: Any, why: str) -> None:
    with pytest.raises(UnreadableSchemaError) as raised:
        Readings(message(fields), [{"name": "x", "type": type_}])
    assert str(raised.value) == why


def test_a_group_is_not_read() -> None:
    proto = 'syntax = "proto2"; message M { optional group X = 1 { optional int64 a = 1; } }'
    record = {"type": "record", "name": "X", "fields": [{"name": "a", "type": "long"}]}
    with pytest.raises(UnreadableSchemaError, match="groups of proto2"):
        Readings(proto, [{"name": "x", "type": record}])


def test_what_is_not_read_is_not_looked_at() -> None:
    readings = Readings(message("int64 x = 1; string y = 2;"), [{"name": "x", "type": "long"}])
    body = block(2, b"\xff") + integer(1, 5) + varint(3 << 3 | 3) + varint(3 << 3 | 4)
    # Groups are left to the last word, which passes over them.
    assert readings.columns([body]) == [None]
    assert readings.single(body) == {"x": 5}


def test_columns_read_times_and_integers_at_their_ends() -> None:
    proto = message("google.protobuf.Timestamp at = 1; sfixed32 n = 2;")
    fields: list[dict[str, Any]] = [{"name": "at", "type": MICROS}, {"name": "n", "type": "int"}]
    readings = Readings(proto, fields)
    low = timestamp(1, -62_135_596_800_000_000) + fixed32(2, (2**31).to_bytes(4, "little"))
    high = timestamp(1, 253_402_300_799_999_999) + fixed32(2, (2**31 - 1).to_bytes(4, "little"))
    assert [row and (row["at"].year, row["n"]) for row in readings.columns([low, high])] == [
        (1, -(2**31)),
        (9999, 2**31 - 1),
    ]
