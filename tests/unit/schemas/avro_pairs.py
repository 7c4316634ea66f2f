"""Strategies of Avro schemas, of schemas that grew out of them, and of data."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

PRIMITIVES = ["boolean", "int", "long", "float", "double", "bytes", "string"]
SYMBOLS = ["A", "B", "C"]
NAMES = ["f", "g", "h"]

Schema = Any


@st.composite
def types(draw: st.DrawFn, tag: str, depth: int = 2) -> Schema:
    """Draw a type; `tag` keeps the names of named types apart within a schema."""
    kinds = ["primitive", "enum", "fixed", "nullable", "union"]
    kinds += ["record", "array", "map"] if depth else []
    kind = draw(st.sampled_from(kinds))
    if kind == "primitive":
        return draw(st.sampled_from(PRIMITIVES))
    if kind == "enum":
        symbols = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True))
        enum: dict[str, Any] = {"type": "enum", "name": f"E{tag}", "symbols": symbols}
        if draw(st.booleans()):
            enum["default"] = symbols[0]
        return enum
    if kind == "fixed":
        return {"type": "fixed", "name": f"F{tag}", "size": draw(st.integers(1, 2))}
    if kind == "nullable":
        return ["null", draw(st.sampled_from(PRIMITIVES))]
    if kind == "union":
        return draw(st.lists(st.sampled_from(PRIMITIVES), min_size=1, max_size=3, unique=True))
    if kind == "array":
        return {"type": "array", "items": draw(types(f"{tag}i", depth - 1))}
    if kind == "map":
        return {"type": "map", "values": draw(types(f"{tag}v", depth - 1))}
    return draw(records(tag, depth - 1))


@st.composite
def records(draw: st.DrawFn, tag: str = "", depth: int = 2) -> Schema:
    """Draw a record; nullable fields may have a default."""
    fields: list[dict[str, Any]] = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        field: dict[str, Any] = {"name": name, "type": draw(types(f"{tag}{name}", depth))}
        if _nullable(field["type"]) and draw(st.booleans()):
            field["default"] = None
        fields.append(field)
    return {"type": "record", "name": f"R{tag}", "fields": fields}


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """Draw (reader, writer): two records, or one that was changed in a few places."""
    writer = draw(records())
    if draw(st.integers(0, 4)) == 0:
        return draw(records()), writer
    reader = copy.deepcopy(writer)
    for _ in range(draw(st.integers(0, 3))):
        draw(changes(reader))
    return reader, writer


@st.composite
def changes(draw: st.DrawFn, record: Schema) -> None:
    """Change `record` in place, as people change schemas."""
    fields = record["fields"]
    change = draw(st.sampled_from(["drop", "add", "rename", "widen", "nullable", "nested", "type"]))
    if change == "add":
        field: dict[str, Any] = {"name": "new", "type": ["null", "int"]}
        if draw(st.booleans()):
            field["default"] = None
        if all(one["name"] != "new" for one in fields):
            fields.append(field)
        return
    if not fields:
        return
    field = draw(st.sampled_from(fields))
    kind = field["type"]
    if change == "drop" and len(fields) > 1:
        fields.remove(field)
    elif change == "rename" and "aliases" not in field:
        field["aliases"] = [field["name"]]
        field["name"] = f"{field['name']}_new"
    elif change == "widen" and isinstance(kind, str):
        wider = {"int": "long", "long": "float", "float": "double", "bytes": "string"}
        field["type"] = wider.get(kind, kind)
        field.pop("default", None)
    elif change == "nullable" and not isinstance(kind, list):
        field["type"] = ["null", kind]
    elif change == "nested" and isinstance(kind, dict):
        if kind["type"] == "record":
            draw(changes(kind))
        elif kind["type"] == "enum":
            kind["symbols"] = draw(st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True))
            kind.pop("default", None)
            if draw(st.booleans()):
                kind["default"] = kind["symbols"][0]
        elif kind["type"] == "fixed":
            kind["size"] = draw(st.integers(1, 3))
    elif change == "type":
        field["type"] = draw(st.sampled_from(PRIMITIVES))
        field.pop("default", None)


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Return the data that may be written under a schema whose named types are written out once."""
    if isinstance(schema, list):
        return st.one_of([values(branch) for branch in schema])
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        return st.fixed_dictionaries(
            {field["name"]: values(field["type"]) for field in schema["fields"]}
        )
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "fixed":
        return st.binary(min_size=schema["size"], max_size=schema["size"])
    if kind == "array":
        return st.lists(values(schema["items"]), max_size=2)
    if kind == "map":
        return st.dictionaries(st.text(max_size=2), values(schema["values"]), max_size=2)
    text = st.text(max_size=3)
    return {
        "null": st.none(),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
        "float": st.floats(width=32, allow_nan=False),
        "double": st.floats(allow_nan=False),
        # A string may be read from bytes that hold UTF-8 only.
        "bytes": text.map(str.encode),
        "string": text,
    }[kind]


def _nullable(schema: Schema) -> bool:
    return isinstance(schema, list) and schema[0] == "null"
