"""The reference itself: what it says of a few schemas and values that anyone can judge."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.avro_java import JavaError, compatible, parse, resolve
from tests.support.avro_plain import decode

pytestmark = pytest.mark.java


def record(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "P", "fields": list(fields), **more}


COLOUR = {"type": "enum", "name": "Colour", "symbols": ["RED", "BLUE"]}
WRITER = record({"name": "a", "type": "int"}, {"name": "c", "type": COLOUR}, namespace="old")
READER = record(
    {"name": "a", "type": "long"},
    {"name": "c", "type": {**COLOUR, "symbols": ["BLUE", "GREY"], "default": "GREY"}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "default": 5},
    {"name": "b", "type": "bytes", "default": "\u00ff"},
    namespace="new",
)


def test_a_value_is_resolved_and_written_again_in_the_readers_schema() -> None:
    found = resolve(WRITER, READER, [b"\x02\x00", b"\x02\x02", b"\x02", b"\x02\x00\x00"])
    values = [one if isinstance(one, JavaError) else decode(READER, one) for one in found]
    assert values[:2] == [
        {"a": 1, "c": "GREY", "at": 5, "b": b"\xff"},
        {"a": 1, "c": "BLUE", "at": 5, "b": b"\xff"},
    ]
    assert all(isinstance(one, JavaError) for one in values[2:])


def test_defaults_and_names_are_judged_when_a_schema_is_parsed() -> None:
    assert parse(READER) is None
    wrong = parse(record({"name": "a", "type": "int", "default": "x"}))
    assert wrong is not None
    assert "Invalid default for field a" in wrong.text
    assert parse({"type": "nothing"}) is not None


def test_problems_are_listed_with_their_places() -> None:
    assert compatible(READER, WRITER) == (True, [])
    sound, problems = compatible(WRITER, READER)
    assert not sound
    assert [one.split(":")[0] for one in problems] == ["/fields/0/type", "/fields/1/type/symbols"]
