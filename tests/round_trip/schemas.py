"""Drawing Avro records of every type that a contract may have, nested every way, oddly named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.round_trip.avro import digits

Schema = Any
ODD_NAMES = (
    *(
        "select",
        "from",
        "order",
        "group",
        "table",
        "null",
        "true",
        "default",
        "interval",
        "current_date",
    ),
    *("key", "value", "element", "list", "array", "key_value", "entries", "item", "map", "struct"),
    *(
        "topic",
        "topic_id",
        "topic_partition",
        "offset",
        "record_time",
        "event_time",
        "late",
        "uuid",
    ),
    *("hour", "partition", "file", "pos", "row", "rows", "literal", "len", "count"),
    *(
        "Select",
        "KEY",
        "camelCase",
        "x1",
        "x_1",
        "x__",
        "n" * 200,
        "a0123456789",
        "index",
        "columns",
    ),
)
LEAVES = (
    *("boolean", "int", "long", "float", "double", "string", "bytes"),
    {"type": "string"},
    {"type": "int", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "local-timestamp-micros"},
    {"type": "long", "logicalType": "local-timestamp-millis"},
    {"type": "string", "logicalType": "uuid"},
    {"type": "string", "avro.java.string": "String"},
    {"type": "long", "logicalType": "made-up"},
)


@dataclass
class Named:
    """The named types of one schema: full names of those that are complete."""

    number: int = 0
    complete: list[str] = field(default_factory=list)


@st.composite
def leaves(draw: st.DrawFn, named: Named, space: str) -> Schema:
    """Draw a type that holds no other, perhaps one drawn before by its name."""
    which = draw(st.integers(0, 19))
    if which == 0 and named.complete:
        full = draw(st.sampled_from(named.complete))
        return full if "." in full or not space else draw(st.sampled_from(LEAVES))
    if which == 1:
        symbols = st.sampled_from(["A", "a", "select", "_x", "NULL", "S1", "z" * 60])
        made = {"type": "enum", "symbols": draw(st.lists(symbols, min_size=1, unique=True))}
        return _name(draw, made, "E", named, space)
    if which == 2:
        made = {"type": "fixed", "size": draw(st.sampled_from([1, 3, 16, 17, 40]))}
        return _name(draw, made, "F", named, space)
    if which in (3, 4):
        return draw(decimals(named, space))
    return draw(st.sampled_from(LEAVES))


@st.composite
def decimals(draw: st.DrawFn, named: Named, space: str) -> Schema:
    """Draw a decimal, of bytes or fixed; of scale 0 perhaps by leaving it out."""
    precision = draw(st.sampled_from([1, 9, 10, 18, 19, 38]) | st.integers(1, 38))
    made: dict[str, Any] = {"logicalType": "decimal", "precision": precision}
    if draw(st.integers(0, 3)):
        made["scale"] = draw(st.sampled_from([0, precision]) | st.integers(0, precision))
    if draw(st.booleans()):
        return {"type": "bytes", **made}
    least = next(size for size in range(1, 40) if digits(size) >= precision)
    made = {"type": "fixed", "size": least + draw(st.sampled_from([0, 0, 1, 5])), **made}
    return _name(draw, made, "D", named, space)


@st.composite
def types(draw: st.DrawFn, named: Named, space: str, depth: int) -> Schema:
    """Draw any type, nested to `depth`."""
    shape = draw(st.sampled_from(["leaf"] * 6 + ["array", "map", "record"])) if depth else "leaf"
    if shape == "leaf":
        made = draw(leaves(named, space))
    elif shape == "array":
        made = {"type": "array", "items": draw(types(named, space, depth - 1))}
    elif shape == "map":
        made = {"type": "map", "values": draw(types(named, space, depth - 1))}
    else:
        made = draw(records(named, space, depth - 1))
    null = draw(st.sampled_from(["none"] * 4 + ["first"] * 3 + ["last", "alone"]))
    if null == "first":
        return ["null", made]
    if null == "last":
        return [made, "null"]
    return [made] if null == "alone" and not isinstance(made, list) else made


@st.composite
def records(draw: st.DrawFn, named: Named, space: str, depth: int) -> Schema:
    """Draw a nested record."""
    made: dict[str, Any] = {"type": "record"}
    finish = _begin(draw, made, "R", named, space)
    inside = made.get("namespace", space)
    made["fields"] = draw(fields(named, inside, depth, st.integers(1, 4)))
    finish()
    return made


@st.composite
def fields(
    draw: st.DrawFn, named: Named, space: str, depth: int, counts: st.SearchStrategy[int]
) -> list[dict[str, Any]]:
    """Draw fields of names that differ also in lower case."""
    known: set[str] = set()
    found = []
    for number in range(draw(counts)):
        name = draw(st.sampled_from(ODD_NAMES) | st.just(f"f{number}"))
        if name.lower() in known:
            name = f"f{number}"
        known.add(name.lower())
        one: dict[str, Any] = {"name": name, "type": draw(types(named, space, depth))}
        if draw(st.integers(0, 5)) == 0:
            one |= {"doc": draw(st.sampled_from(["", "ü\n\"'", "x" * 300]))}
        if draw(st.integers(0, 5)) == 0:
            one |= {"aliases": [f"was_{number}"]}
        if draw(st.integers(0, 2)) == 0:
            one |= _default(one["type"])
        found.append(one)
    return found


_EASY: dict[str, Any] = {
    "boolean": True,
    "int": 7,
    "long": -7,
    "float": 0.5,
    "double": 0.5,
    "string": "é",
    "bytes": "ÿ",
}


def _default(schema: Schema) -> dict[str, Any]:
    """Return a default, where the type has an easy one."""
    if isinstance(schema, list):
        return {"default": None} if schema[0] == "null" else _default(schema[0])
    if isinstance(schema, str):
        return {"default": _EASY[schema]} if schema in _EASY else {}
    kind = schema["type"]
    if kind == "enum":
        return {"default": schema["symbols"][-1]}
    found = {"array": [], "map": {}, "int": 0, "long": 0}
    return {"default": found[kind]} if kind in found else {}


def _name(draw: st.DrawFn, made: dict[str, Any], prefix: str, named: Named, space: str) -> Schema:
    _begin(draw, made, prefix, named, space)()
    return made


def _begin(draw: st.DrawFn, made: dict[str, Any], prefix: str, named: Named, space: str) -> Any:
    """Give a type a name; call what is returned once it is complete and may be named."""
    name = f"{prefix}{named.number}"
    named.number += 1
    way = draw(st.sampled_from(["plain"] * 4 + ["namespace", "dotted"]))
    if way == "namespace":
        made |= {"name": name, "namespace": "other.space"}
        space = "other.space"
    elif way == "dotted":
        # The same by the name alone.
        made |= {"name": f"dotted.space.{name}"}
        if made["type"] == "record":
            made |= {"namespace": "dotted.space"}
        space = "dotted.space"
    else:
        made |= {"name": name}
    full = f"{space}.{name}" if space else name
    return lambda: named.complete.append(full)
