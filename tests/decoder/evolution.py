"""Drawing how a schema evolved: what older writers wrote for a reader's schema."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.decoder.schemas import Schema, types, values

PROMOTED = {"long": ["int"], "float": ["int"], "double": ["int", "long", "float"]}
"""A reader's type -> what a writer may have written instead, but for what fastavro rounds twice."""
DEFAULTS: dict[str, Any] = {"boolean": True, "int": 7, "long": -7, "double": 0.5, "string": "é"}


@dataclass(frozen=True)
class Evolved:
    """A reader's schema, and the schemas that its values were written by."""

    reader: Schema
    writers: tuple[Schema, ...]


@st.composite
def evolved(draw: st.DrawFn) -> Evolved:
    """Draw a record schema and one to three writers that it reads."""
    fields: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        field: dict[str, Any] = {"name": f"c{number}", "type": draw(types())}
        if draw(st.booleans()):
            field |= {"aliases": [f"was{number}"]}
        fields.append(field | _default(field["type"]))
    reader = {"type": "record", "name": "Payload", "fields": fields}
    writers = tuple(draw(_written(reader)) for _ in range(draw(st.integers(1, 3))))
    return Evolved(reader, writers)


def _default(schema: Schema) -> dict[str, Any]:
    """Return a default where the type has an easy one: such a field may be missing from a writer."""
    if isinstance(schema, list):
        return {"default": None} if schema[0] == "null" else {}
    if isinstance(schema, str) and schema in DEFAULTS:
        return {"default": DEFAULTS[schema]}
    if isinstance(schema, dict) and schema["type"] in ("array", "map"):
        return {"default": [] if schema["type"] == "array" else {}}
    if isinstance(schema, dict) and schema["type"] == "enum":
        return {"default": schema["symbols"][-1]}
    return {}


@st.composite
def _written(draw: st.DrawFn, reader: Schema) -> Schema:
    fields = []
    for field in reader["fields"]:
        if "default" in field and draw(st.integers(0, 4)) == 0:
            continue
        name = field["name"]
        if "aliases" in field and draw(st.booleans()):
            name = field["aliases"][0]
        fields.append({"name": name, "type": draw(_older(field["type"]))})
    fields += [
        {"name": f"dropped{number}", "type": draw(types(1))}
        for number in range(draw(st.integers(0, 2)))
    ]
    return {"type": "record", "name": "Payload", "fields": draw(st.permutations(fields))}


@st.composite
def _older(draw: st.DrawFn, schema: Schema) -> Schema:
    """Draw a type that `schema` reads: itself, a narrower one, or itself before it was nullable."""
    if isinstance(schema, list) and draw(st.integers(0, 3)) == 0:
        return copy.deepcopy(next(one for one in schema if one != "null"))
    if isinstance(schema, str) and schema in PROMOTED and draw(st.booleans()):
        return draw(st.sampled_from(PROMOTED[schema]))
    if isinstance(schema, dict) and schema["type"] == "array":
        return {**schema, "items": draw(_older(schema["items"]))}
    return copy.deepcopy(schema)


def batches(history: Evolved) -> st.SearchStrategy[list[tuple[int, Any]]]:
    """Draw values, each with the number of the writer that wrote it."""
    numbers = range(len(history.writers))
    one = st.one_of(*(st.tuples(st.just(n), values(history.writers[n])) for n in numbers))
    return st.lists(one, min_size=1, max_size=6)
