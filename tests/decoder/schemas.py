"""Drawing Avro schemas of every type that tables hold, and values as they are on the wire."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

from hypothesis import strategies as st

Schema = Any
SYMBOLS = ("RED", "GREEN", "BLUE", "GREY")
_names = itertools.count()
_TIMES = (
    ("long", "timestamp-micros", -62_135_596_800_000_000, 253_402_300_799_000_000),
    ("long", "timestamp-millis", -62_135_596_800_000, 253_402_300_799_000),
    ("int", "date", -719_162, 2_932_896),
    ("long", "time-micros", 0, 86_399_999_999),
    ("int", "time-millis", 0, 86_399_999),
)


def name(prefix: str) -> str:
    """Return a name that no other named type has."""
    return f"{prefix}{next(_names)}"


@cache
def simple() -> st.SearchStrategy[Schema]:
    """Draw a type that holds no other."""
    primitives = st.sampled_from(["boolean", "int", "long", "float", "double", "string", "bytes"])
    times = st.sampled_from([{"type": t, "logicalType": logical} for t, logical, *_ in _TIMES])
    uuid = st.just({"type": "string", "logicalType": "uuid"})
    enum = st.builds(
        lambda symbols: {"type": "enum", "name": name("E"), "symbols": list(symbols)},
        st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True),
    )
    fixed = st.builds(
        lambda size: {"type": "fixed", "name": name("F"), "size": size}, st.integers(1, 20)
    )
    return st.one_of(primitives, times, uuid, enum, fixed, decimals())


@st.composite
def decimals(draw: st.DrawFn) -> Schema:
    """Draw a decimal, of bytes or fixed."""
    precision = draw(st.integers(1, 38))
    schema: dict[str, Any] = {
        "type": "bytes",
        "logicalType": "decimal",
        "precision": precision,
        "scale": draw(st.integers(0, precision)),
    }
    if draw(st.booleans()):
        schema |= {"type": "fixed", "name": name("D"), "size": decimal_size(precision)}
    return schema


def decimal_size(precision: int) -> int:
    """Return in how many bytes every number of so many digits fits."""
    return math.ceil((precision * math.log2(10) + 1) / 8)


@cache
def types(depth: int = 2) -> st.SearchStrategy[Schema]:
    """Draw any type, nested to `depth`."""
    if not depth:
        return st.one_of(simple(), nullable(simple()))
    inner = types(depth - 1)
    return st.one_of(
        simple(),
        nullable(simple()),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda values: {"type": "map", "values": values}, inner),
        nullable(st.builds(lambda items: {"type": "array", "items": items}, inner)),
        records(inner),
        nullable(records(inner)),
    )


def nullable(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Draw a union with null, in either order."""
    return st.builds(
        lambda one, first: ["null", one] if first else [one, "null"], inner, st.booleans()
    )


def records(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Draw a nested record."""
    return st.builds(
        lambda found: {
            "type": "record",
            "name": name("R"),
            "fields": [{"name": f"f{i}", "type": one} for i, one in enumerate(found)],
        },
        st.lists(inner, min_size=1, max_size=3),
    )


def plain(schema: Schema) -> Schema:
    """Return `schema` without logical types: numbers, bytes and texts as they are on the wire."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key == "default" else plain(value)
        for key, value in schema.items()
        if key not in ("logicalType", "precision", "scale")
    } | ({"fields": [plain(f) for f in schema["fields"]]} if "fields" in schema else {})


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Draw a value that `plain(schema)` writes, and that a column of `schema` can hold."""
    if isinstance(schema, list):
        return st.one_of(*(values(one) for one in schema))
    if isinstance(schema, str):
        return _PRIMITIVES[schema]
    kind, logical = schema["type"], schema.get("logicalType")
    for type_, named, low, high in _TIMES:
        if (kind, logical) == (type_, named):
            return st.integers(low, high)
    if logical == "uuid":
        return st.uuids().map(str)
    if logical == "decimal":
        most = 10 ** schema["precision"] - 1
        size = schema.get("size", decimal_size(schema["precision"]))
        return st.integers(-most, most).map(lambda n: n.to_bytes(size, "big", signed=True))
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "fixed":
        return st.binary(min_size=schema["size"], max_size=schema["size"])
    if kind == "array":
        return st.lists(values(schema["items"]), max_size=4)
    if kind == "map":
        return st.dictionaries(st.text(max_size=5), values(schema["values"]), max_size=3)
    if kind == "record":
        return st.fixed_dictionaries({f["name"]: values(f["type"]) for f in schema["fields"]})
    return _PRIMITIVES[kind]


_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "double": st.floats(),
    "string": st.text(max_size=12),
    "bytes": st.binary(max_size=12),
}
