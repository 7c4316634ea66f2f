"""Changes of a schema, each with who lets it pass: Avro Java, the registry, the contract check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Schema = Any


@dataclass(frozen=True)
class Mutation:
    """A reader's schema that was made of a writer's, and the judgements of it.

    `java` is SchemaCompatibility's, `registry` that of `pipeline.avro.compatibility`, and `contract` that
    of the check, which asks as well whether a table follows. `why` says why the registry is stricter.
    """

    name: str
    writer: Schema
    reader: Schema
    java: bool
    registry: bool
    contract: bool
    why: str = ""


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, type_: Schema, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def enum(*symbols: str, name: str = "E", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size: int, name: str = "F", **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size, **more}


def decimal(precision: int, scale: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "bytes",
        "logicalType": "decimal",
        "precision": precision,
        "scale": scale,
        **more,
    }


def logical(type_: str, name: str) -> dict[str, Any]:
    return {"type": type_, "logicalType": name}


def array(items: Schema) -> dict[str, Any]:
    return {"type": "array", "items": items}


def map_(values: Schema) -> dict[str, Any]:
    return {"type": "map", "values": values}


def _types(
    name: str, was: Schema, now: Schema, java: bool, registry: bool, contract: bool, why: str = ""
) -> Mutation:
    old, new = record(field("f", was)), record(field("f", now))
    return Mutation(name, old, new, java, registry, contract, why)


def _fields(
    name: str,
    was: list[Any],
    now: list[Any],
    java: bool,
    registry: bool,
    contract: bool,
    why: str = "",
) -> Mutation:
    return Mutation(name, record(*was), record(*now), java, registry, contract, why)


YES, NO = True, False
INNER = record(field("x", "int"), name="N")
WIDER = record(field("x", "long"), name="N")
FIXED_DECIMAL: dict[str, Any] = {"logicalType": "decimal", "precision": 9, "scale": 2}
SCALE = "a number of another scale would be read as another amount"
ONE_FEEDS_ONE = "a written field feeds one field, its namesake before an alias"

MUTATIONS: list[Mutation] = [
    _types("nothing", "int", "int", YES, YES, YES),
    _types("int to long", "int", "long", YES, YES, YES),
    _types("int to float", "int", "float", YES, YES, NO),
    _types("int to double", "int", "double", YES, YES, NO),
    _types("long to float", "long", "float", YES, YES, NO),
    _types("long to double", "long", "double", YES, YES, NO),
    _types("float to double", "float", "double", YES, YES, YES),
    _types("string to bytes", "string", "bytes", YES, YES, NO),
    _types("bytes to string", "bytes", "string", YES, YES, NO),
    _types("long to int", "long", "int", NO, NO, NO),
    _types("double to float", "double", "float", NO, NO, NO),
    _types("double to long", "double", "long", NO, NO, NO),
    _types("int to string", "int", "string", NO, NO, NO),
    _types("string to int", "string", "int", NO, NO, NO),
    _types("boolean to int", "boolean", "int", NO, NO, NO),
    _types("int to boolean", "int", "boolean", NO, NO, NO),
    _types("string to enum", "string", enum("A"), NO, NO, NO),
    _types("enum to string", enum("A"), "string", NO, NO, NO),
    _types("bytes to fixed", "bytes", fixed(4), NO, NO, NO),
    _types("fixed to bytes", fixed(4), "bytes", NO, NO, NO),
    _types("a value to a list of it", "int", array("int"), NO, NO, NO),
    _types("a list to a map", array("int"), map_("int"), NO, NO, NO),
    _types("a record to a map", INNER, map_("int"), NO, NO, NO),
    _types("to nullable", "int", ["null", "int"], YES, YES, YES),
    _types("to nullable, null last", "int", ["int", "null"], YES, YES, YES),
    _types("to nullable and wider", "int", ["null", "long"], YES, YES, YES),
    _types("no longer nullable", ["null", "int"], "int", NO, NO, NO),
    _types("branches turned round", ["null", "int"], ["int", "null"], YES, YES, YES),
    _types("a union of one type", "int", ["int"], YES, YES, YES),
    _types("out of a union of one type", ["int"], "int", YES, YES, YES),
    _types("nullable and wider", ["null", "int"], ["null", "long"], YES, YES, YES),
    _types("nullable and narrower", ["null", "long"], ["null", "int"], NO, NO, NO),
    _types("a branch fewer", ["null", "int", "string"], ["null", "int"], NO, NO, NO),
    _types("items wider", array("int"), array("long"), YES, YES, YES),
    _types("items narrower", array("long"), array("int"), NO, NO, NO),
    _types("items to double", array("long"), array("double"), YES, YES, NO),
    _types("items nullable", array("int"), array(["null", "int"]), YES, YES, YES),
    _types("values wider", map_("float"), map_("double"), YES, YES, YES),
    _types("values to another type", map_("int"), map_("string"), NO, NO, NO),
    _types("values to double", map_("long"), map_("double"), YES, YES, NO),
    _types("a field of a record wider", INNER, WIDER, YES, YES, YES),
    _types("a field of a record narrower", WIDER, INNER, NO, NO, NO),
    _types("a field of a nullable record wider", ["null", INNER], ["null", WIDER], YES, YES, YES),
    _types("a field of a record to double", WIDER, record(field("x", "double"), name="N"),
           YES, YES, NO),
    _types("a field of a record of another logical type",
           record(field("x", logical("long", "timestamp-millis")), name="N"),
           record(field("x", logical("long", "timestamp-micros")), name="N"), YES, YES, NO),
    _types("a record with a new field and a default", INNER,
           record(field("x", "int"), field("y", "int", default=0), name="N"), YES, YES, YES),
    _types("a record with a new field and no default", INNER,
           record(field("x", "int"), field("y", "int"), name="N"), NO, NO, NO),
    _types("a record without one of its fields",
           record(field("x", "int"), field("y", "int"), name="N"), INNER, YES, YES, YES),
    _types("a field of a record renamed, with an alias", INNER,
           record(field("z", "int", aliases=["x"]), name="N"), YES, YES, YES),
    _types("a record of another name", INNER, {**INNER, "name": "M"}, NO, NO, NO),
    _types("a record of another name, with an alias", INNER,
           {**INNER, "name": "M", "aliases": ["N"]}, YES, YES, YES),
    _types("a record of another namespace", INNER, {**INNER, "namespace": "a"}, YES, YES, YES),
    _types("a symbol more", enum("A"), enum("A", "B"), YES, YES, YES),
    _types("symbols turned round", enum("A", "B"), enum("B", "A"), YES, YES, YES),
    _types("a symbol fewer", enum("A", "B"), enum("A"), NO, NO, NO),
    _types("a symbol fewer, with a default", enum("A", "B"), enum("A", default="A"),
           YES, YES, YES),
    _types("an enum of another name", enum("A"), enum("A", name="G"), NO, NO, NO),
    _types("an enum of another name, with an alias", enum("A"),
           enum("A", name="G", aliases=["E"]), YES, YES, YES),
    _types("an enum of another namespace", enum("A"), enum("A", namespace="a"), YES, YES, YES),
    _types("a fixed type of another size", fixed(4), fixed(3), NO, NO, NO),
    _types("a fixed type of another name", fixed(4), fixed(4, name="G"), NO, NO, NO),
    _types("a fixed type of another namespace", fixed(4), fixed(4, namespace="a"), YES, YES, YES),
    _types("a decimal of more digits", decimal(9, 2), decimal(18, 2), YES, YES, YES),
    _types("a decimal of fewer digits", decimal(9, 2), decimal(8, 2), YES, NO, NO,
           "a larger amount has no column"),
    _types("a decimal of another scale", decimal(9, 2), decimal(9, 3), YES, NO, NO, SCALE),
    _types("a decimal of more digits and another scale", decimal(9, 2), decimal(11, 4),
           YES, NO, NO, SCALE),
    _types("a fixed decimal of more digits", fixed(8, **FIXED_DECIMAL),
           fixed(8, **{**FIXED_DECIMAL, "precision": 18}), YES, YES, YES),
    _types("a fixed decimal of more digits and bytes", fixed(4, **FIXED_DECIMAL),
           fixed(8, **{**FIXED_DECIMAL, "precision": 18}), NO, NO, NO),
    _types("bytes to decimal", "bytes", decimal(9, 2), YES, YES, NO),
    _types("decimal to bytes", decimal(9, 2), "bytes", YES, YES, NO),
    _types("long to timestamp", "long", logical("long", "timestamp-micros"), YES, YES, NO),
    _types("timestamp to long", logical("long", "timestamp-micros"), "long", YES, YES, NO),
    _types("milliseconds to microseconds", logical("long", "timestamp-millis"),
           logical("long", "timestamp-micros"), YES, YES, NO),
    _types("UTC to local time", logical("long", "timestamp-micros"),
           logical("long", "local-timestamp-micros"), YES, YES, NO),
    _types("date to int", logical("int", "date"), "int", YES, YES, NO),
    _types("string to uuid", "string", logical("string", "uuid"), YES, YES, YES),
    _types("a logical type that Avro ignores", "string", logical("string", "decimal"),
           YES, YES, YES),
    _fields("a field more, with a default", [field("a", "int")],
            [field("a", "int"), field("b", ["null", "int"], default=None)], YES, YES, YES),
    _fields("a field more, without a default", [field("a", "int")],
            [field("a", "int"), field("b", "int")], NO, NO, NO),
    _fields("a field more, nullable without a default", [field("a", "int")],
            [field("a", "int"), field("b", ["null", "int"])], NO, NO, NO),
    _fields("a field fewer", [field("a", "int"), field("b", "int")], [field("a", "int")],
            YES, YES, YES),
    _fields("fields turned round", [field("a", "int"), field("b", "string")],
            [field("b", "string"), field("a", "int")], YES, YES, YES),
    _fields("a field renamed, with an alias", [field("a", "int")],
            [field("b", "int", aliases=["a"])], YES, YES, YES),
    _fields("a field renamed and wider at once", [field("a", "int")],
            [field("b", "long", aliases=["a"])], YES, YES, YES),
    _fields("a field renamed, without an alias", [field("a", "int")], [field("b", "int")],
            NO, NO, NO),
    _fields("an alias that is another field's name", [field("a", "int")],
            [field("a", "int"), field("b", "int", aliases=["a"])], YES, NO, NO, ONE_FEEDS_ONE),
    _fields("two fields of one alias", [field("a", "int")],
            [field("b", "int", aliases=["a"]), field("c", "int", aliases=["a"])], YES, NO, NO,
            ONE_FEEDS_ONE),
    _fields("a namesake and an alias, both written", [field("a", "int"), field("b", "int")],
            [field("b", "int", aliases=["a"])], NO, NO, NO),
    _fields("an alias no longer given", [field("b", "int", aliases=["a"])], [field("b", "int")],
            YES, YES, NO),
    _fields("a former name for another field", [field("b", "int", aliases=["a"])],
            [field("b", "int"), field("a", "int", default=0)], YES, YES, NO),
    _fields("a name that differs in case, beside", [field("a", "int")],
            [field("a", "int"), field("A", "int", default=0)], YES, YES, NO),
    _fields("a name that differs in case, instead", [field("a", "int")],
            [field("A", "int", default=0)], YES, YES, NO),
]  # fmt: skip
"""Every one is asked of Avro Java too."""


def table() -> str:
    """Return the mutations as docs/reference/compatibility.md lists them."""
    rows = [
        f"| {one.name} | {_said(one.java)} | {_said(one.registry)} | {_said(one.contract)} | {one.why} |"
        for one in MUTATIONS
    ]
    head = "| change | Avro Java | registry | contract | why the registry is stricter |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *rows])


def _said(passes: bool) -> str:
    return "yes" if passes else "no"
