"""What is an Avro schema: as Avro Java parses it, and what is refused beyond that."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.avro.validity import problems
from tests.support.avro_java import JavaError, parse, resolve
from tests.unit.schemas.mutations import array, enum, field, fixed, map_, record

pytestmark = pytest.mark.java

LONG_NAME = "n" * 5000
INNER = record(field("x", "int"), field("y", "int", default=3), name="N")

SOUND: dict[str, Any] = {
    "a null as an object": record(field("a", [{"type": "null"}, {"type": "int"}])),
    "keywords": record(field("select", "int"), field("table", "int"), field("value", "int")),
    "a very long name": record(field(LONG_NAME, "int")),
    "a name within a namespace": record(field("a", enum("A")), field("b", "x.E"), namespace="x"),
    "a name without its namespace": record(field("a", enum("A")), field("b", "E"), namespace="x"),
    "an error": {"type": "error", "name": "P", "fields": [field("a", "int")]},
    "a record in itself": record(field("a", ["null", "R"])),
    "an unknown logical type": record(field("a", {"type": "long", "logicalType": "moon"})),
    "a decimal without digits": record(field("a", {"type": "bytes", "logicalType": "decimal"})),
}
BROKEN: dict[str, Any] = {
    "a dash": record(field("a-b", "int")),
    "a dot": record(field("a.b", "int")),
    "a digit first": record(field("1a", "int")),
    "no name": record(field("", "int")),
    "a name that is a number": record(field(5, "int")),  # type: ignore[arg-type]
    "a dash in a record's name": record(field("a", "int"), name="a-b"),
    "a dash in a namespace": record(field("a", "int"), namespace="a-b"),
    "an empty part of a namespace": record(field("a", "int"), namespace="a..b"),
    "a field twice": record(field("a", "int"), field("a", "int")),
    "an unknown type": record(field("a", "integer")),
    "no type": record({"name": "a"}),
    "no fields": {"type": "record", "name": "R"},
    "one name for two types": record(field("a", enum("A")), field("b", fixed(2, name="E"))),
    "the name of a primitive": record(field("a", enum("A", name="int"))),
    "a union within a union": record(field("a", ["null", ["null", "int"]])),
    "a type twice in a union": record(field("a", ["int", "int"])),
    "two lists in a union": record(field("a", [array("int"), array("long")])),
    "a symbol twice": record(field("a", enum("A", "A"))),
    "a symbol with a dash": record(field("a", enum("A-B"))),
    "an enum's default that is no symbol": record(field("a", enum("A", default="Z"))),
    "a size below zero": record(field("a", fixed(-1))),
    "a size in words": record(field("a", {"type": "fixed", "name": "F", "size": "3"})),
    "a list of nothing": record(field("a", {"type": "array"})),
    "a map of nothing": record(field("a", {"type": "map"})),
    "an alias that is no list": record(field("a", "int", aliases="b")),
}
STRICTER: dict[str, Any] = {
    "a letter that is not ASCII": record(field("é", "int")),
    "a type defined twice alike": record(field("a", enum("A")), field("b", enum("A"))),
    "a name before it is defined": record(field("a", "E"), field("b", enum("A"))),
    "an empty union": record(field("a", [])),
    "an empty enum": record(field("a", enum())),
    "a size of zero": record(field("a", fixed(0))),
    "an alias with a dash": record(field("a", "int", aliases=["b-c"])),
}

DEFAULTS: list[tuple[Any, Any, bool]] = [
    ("int", 1, True), ("int", 1.0, False), ("int", 2**31, False), ("int", True, False),
    ("int", "1", False), ("int", None, False), ("long", 2**40, True), ("long", 2**63, False),
    ("float", 1, True), ("float", "NaN", True), ("double", 0.1, True), ("double", "x", False),
    ("boolean", False, True), ("boolean", 1, False), ("string", "é", True), ("string", 1, False),
    ("bytes", "ÿ", True), ("bytes", 1, False), (fixed(2), "aÿ", True),
    (enum("A"), "A", True), (array("int"), [1], True), (array("int"), ["x"], False),
    (map_("int"), {"a": 1}, True), (map_("int"), {"a": "x"}, False),
    (["null", "int"], None, True), (["null", "int"], 1, True), (["int", "null"], 1, True),
    (["int", "null"], None, True), (["null", "int"], "x", False),
    (INNER, {"x": 1}, True), (INNER, {}, False), (INNER, {"x": "1"}, False),
    ({"type": "long", "logicalType": "timestamp-millis"}, 5, True),
    ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, 1.2, False),
]  # fmt: skip
NOT_READ: list[tuple[Any, Any]] = [
    (enum("A"), "Z"),
    ([enum("A"), "null"], None),
    ([array("int"), "null"], None),
    ([INNER, "null"], None),
]
"""Defaults that Java parses and then does not read."""


@pytest.mark.parametrize("name", SOUND)
def test_a_schema_that_java_parses_is_one(name: str) -> None:
    assert parse(SOUND[name]) is None
    assert problems(SOUND[name]) == ()


@pytest.mark.parametrize("name", BROKEN)
def test_a_schema_that_java_refuses_is_none(name: str) -> None:
    assert parse(BROKEN[name]) is not None
    assert problems(BROKEN[name])


@pytest.mark.parametrize("name", STRICTER)
def test_what_other_libraries_refuse_is_refused_where_java_lets_it_pass(name: str) -> None:
    assert parse(STRICTER[name]) is None
    assert problems(STRICTER[name])


@pytest.mark.parametrize(("type_", "default", "sound"), DEFAULTS)
def test_defaults_are_judged_as_java_judges_them(type_: Any, default: Any, sound: bool) -> None:
    schema = record(field("a", type_, default=default))
    assert (parse(schema) is None) is sound
    assert (problems(schema) == ()) is sound


@pytest.mark.parametrize(("type_", "default"), NOT_READ)
def test_a_default_that_java_does_not_read_is_none(type_: Any, default: Any) -> None:
    schema = record(field("a", type_, default=default))
    assert parse(schema) is None
    assert isinstance(resolve(record(), schema, [b""])[0], JavaError)
    assert problems(schema)


def test_a_problem_tells_its_place() -> None:
    schema = record(field("a", "int"), field("b", array(record(field("x", "moon"), name="N"))))
    (found,) = problems(schema)
    assert found.path == ("fields", 1, "type", "items", "fields", 0, "type")
    assert found.expected == "a type, or the name of one defined before; not 'moon'"


def test_a_schema_nested_beyond_reason_is_refused() -> None:
    schema: Any = "int"
    for _ in range(200):
        schema = array(schema)
    assert "within each other" in problems(record(field("a", schema)))[0].expected
