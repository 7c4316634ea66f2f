"""Drawing what a reader's schema evolved from, with all that Avro Java is asked about."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pipeline.avro.normal import normalized
from tests.decoder.evolution import Evolved
from tests.decoder.schemas import Schema, decimal_size, name, nullable, simple, values

_PROMOTED = {"long": ["int"], "float": ["int", "long"], "double": ["int", "long", "float"]}
_IGNORED: list[Schema] = [
    {"type": "string", "logicalType": "decimal", "precision": 4, "scale": 1},
    {"type": "bytes", "logicalType": "decimal"},
    {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 3},
    {"type": "int", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "date"},
    {"type": "long", "logicalType": "timestamp-nanos"},
    {"type": "long", "logicalType": "never-heard-of"},
    {"type": "string", "logicalType": "uuid"},
    [{"type": "null"}, {"type": "int"}],
    ["long"],
]


@cache
def _leaf() -> st.SearchStrategy[Schema]:
    sized = st.sampled_from([("uuid", 16), ("duration", 12), ("decimal", 3)])
    fixed = sized.map(
        lambda one: {"type": "fixed", "name": name("L"), "logicalType": one[0], "size": one[1]}
    )
    enum = st.builds(
        lambda symbols: {
            "type": "enum",
            "name": name("E"),
            "symbols": symbols,
            "default": symbols[0],
        },
        st.lists(st.sampled_from("ABCD"), min_size=1, unique=True),
    )
    ignored = st.sampled_from(_IGNORED)
    return st.one_of(simple(), nullable(simple()), nullable(enum), ignored, fixed, enum)


@cache
def _type(depth: int) -> st.SearchStrategy[Schema]:
    if not depth:
        return _leaf()
    inner = _type(depth - 1)
    nested = st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda values: {"type": "map", "values": values}, inner),
        _record(depth - 1),
    )
    return st.one_of(_leaf(), nested, nullable(nested))


@st.composite
def _record(draw: st.DrawFn, depth: int, named: str = "") -> Schema:
    fields = []
    for number in range(draw(st.integers(1, 3 if not named else 5))):
        field: dict[str, Any] = {"name": f"f{number}", "type": draw(_type(depth))}
        if draw(st.booleans()):
            field["aliases"] = [f"was{number}"]
        if draw(st.booleans()):
            field["default"] = draw(_default(normalized(field["type"])))
        fields.append(field)
    return {"type": "record", "name": named or name("R"), "fields": fields}


@st.composite
def pairs(draw: st.DrawFn) -> Evolved:
    """Draw a reader's schema and one to three that it reads, some of them of another namespace."""
    reader = draw(_record(2, "Payload"))
    estranged, aliased = draw(st.booleans()), draw(st.booleans())
    writers = [
        draw(_older(reader, aliases=aliased or not estranged))
        for _ in range(draw(st.integers(1, 3)))
    ]
    if estranged:
        reader["namespace"] = "new"
        for writer in writers:
            writer["namespace"] = "old"
        if aliased:
            _alias_types(reader)
    return Evolved(reader, tuple(writers))


def batches(history: Evolved) -> st.SearchStrategy[list[tuple[int, Any]]]:
    """Draw values, each with the number of the writer that wrote it."""
    one = st.one_of(
        *(st.tuples(st.just(n), values(normalized(w))) for n, w in enumerate(history.writers))
    )
    return st.lists(one, min_size=1, max_size=4)


def _alias_types(schema: Any) -> None:
    if isinstance(schema, list):
        for one in schema:
            _alias_types(one)
    elif isinstance(schema, dict):
        if schema["type"] in ("record", "enum", "fixed"):
            schema["aliases"] = [f"old.{schema['name']}"]
        for part in (*(f["type"] for f in schema.get("fields", ())), schema.get("items")):
            _alias_types(part)
        _alias_types(schema.get("values"))


def _default(schema: Schema) -> st.SearchStrategy[Any]:
    """Draw JSON that is a default of a schema in normal form."""
    if isinstance(schema, list):
        # Of a later branch too, where Java looks beyond the first.
        kinds = [one if isinstance(one, str) else one["type"] for one in schema]
        found = kinds[0] in ("record", "enum", "array", "map")
        return st.one_of([_default(branch) for branch in (schema[:1] if found else schema)])
    kind = schema if isinstance(schema, str) else schema["type"]
    match kind:
        case "bytes" | "fixed":
            return values(schema).map(lambda found: found.decode("latin-1"))
        case "float" | "double":
            return st.floats(width=32, allow_nan=False, allow_infinity=False)
        case "array":
            return st.lists(_default(schema["items"]), max_size=2)
        case "map":
            return st.dictionaries(st.sampled_from("xyz"), _default(schema["values"]), max_size=2)
        case "record":
            fields = schema["fields"]
            optional = {f["name"]: _default(f["type"]) for f in fields if "default" in f}
            needed = {f["name"]: _default(f["type"]) for f in fields if "default" not in f}
            return st.fixed_dictionaries(needed, optional=optional)
    return values(schema)


@st.composite
def _older(draw: st.DrawFn, schema: Schema, *, aliases: bool) -> Schema:
    """Draw a type that `schema` reads; its fields have former names only where `aliases` count."""
    if isinstance(schema, list):
        branches = [copy.deepcopy(one) for one in schema]
        if draw(st.integers(0, 3)) == 0:
            # Never null alone: items that take no bytes are refused.
            present = [one for one in branches if one not in ("null", {"type": "null"})]
            return draw(_older(present[0], aliases=aliases))
        return draw(st.permutations(branches))
    if isinstance(schema, str):
        return draw(st.sampled_from([schema, *_PROMOTED.get(schema, ())]))
    made = copy.deepcopy(schema)
    kind, logical = schema["type"], schema.get("logicalType")
    if kind == "array":
        made["items"] = draw(_older(schema["items"], aliases=aliases))
    elif kind == "map":
        made["values"] = draw(_older(schema["values"], aliases=aliases))
    elif kind == "record":
        made["fields"] = draw(_older_fields(schema["fields"], aliases=aliases))
    elif kind == "enum" and "default" in schema:
        made["symbols"] = draw(st.permutations([*schema["symbols"], "GONE"]))
        del made["default"]
    elif kind == "bytes" and logical == "decimal" and normalized(schema) != "bytes":
        made["precision"] = draw(st.integers(max(1, schema["scale"]), schema["precision"]))
        decimal_size(made["precision"])
    return made


@st.composite
def _older_fields(draw: st.DrawFn, fields: list[Any], *, aliases: bool) -> list[Any]:
    made = []
    for field in fields:
        if "default" in field and draw(st.integers(0, 2)) == 0:
            continue
        former = field.get("aliases", [field["name"]])[0]
        named = former if aliases and draw(st.booleans()) else field["name"]
        made.append({"name": named, "type": draw(_older(field["type"], aliases=aliases))})
    if draw(st.booleans()):
        made.append({"name": "dropped", "type": draw(_type(1))})
    return list(draw(st.permutations(made)))
