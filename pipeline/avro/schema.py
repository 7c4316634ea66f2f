"""Avro schemas as parsed JSON, with names resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fastavro

from pipeline.avro import ops as op
from pipeline.contract.targets.avro import with_text_uuids


class Schema:
    """A schema with its names resolved: `root`, and `names` that it or others refer to."""

    def __init__(self, schema: Any) -> None:
        self.names: dict[str, Any] = {}
        self.root = fastavro.parse_schema(
            with_text_uuids(schema), named_schemas=self.names, _write_hint=False
        )

    def deref(self, schema: Any) -> Any:
        """Return the schema that a name stands for, through wrappers like {"type": {...}}."""
        while True:
            if isinstance(schema, str) and schema in self.names:
                schema = self.names[schema]
            elif isinstance(schema, Mapping) and (
                isinstance(schema["type"], (Mapping, list)) or schema["type"] in self.names
            ):
                schema = schema["type"]
            else:
                return schema

    def standalone(self, schema: Any) -> Any:
        """Return `schema` as one that needs no other: names replaced where they first appear."""
        seen: set[str] = set()

        def expand(part: Any) -> Any:
            if isinstance(part, str) and part in self.names:
                if part in seen:
                    return part
                seen.add(part)
                return expand(dict(self.names[part]))
            if isinstance(part, list):
                return [expand(one) for one in part]
            if isinstance(part, Mapping):
                return {
                    key: expand(value)
                    if key in ("type", "items", "values")
                    else [{**f, "type": expand(f["type"])} for f in value]
                    if key == "fields"
                    else value
                    for key, value in part.items()
                }
            return part

        return expand(schema)


def kind_of(schema: Any) -> str:
    """Return the Avro type of a dereferenced schema, `union` for a list of branches."""
    if isinstance(schema, list):
        return "union"
    return str(schema["type"]) if isinstance(schema, Mapping) else str(schema)


def logical_of(schema: Any) -> str | None:
    """Return the logical type that a dereferenced schema names, None for none."""
    return schema.get("logicalType") if isinstance(schema, Mapping) else None


def may_be_empty(schema: Any, wrote: Schema, depth: int) -> bool:
    """Return whether an item may take no bytes at all: then its number bounds nothing."""
    schema = wrote.deref(schema)
    kind = kind_of(schema)
    if kind == "record":
        return depth > op.MAX_DEPTH or all(
            may_be_empty(field["type"], wrote, depth + 1) for field in schema["fields"]
        )
    return kind == "null" or (kind == "fixed" and schema["size"] == 0)


def as_written(value: Any, schema: Any) -> Any:
    """Return a default as fastavro writes it: bytes are code points 0 to 255 in JSON."""
    kind = kind_of(schema)
    if kind == "union":
        return as_written(value, next(b for b in schema if b != "null"))
    if kind in ("bytes", "fixed") and isinstance(value, str):
        return value.encode("latin-1")
    if kind == "record" and isinstance(value, Mapping):
        return {
            f["name"]: as_written(value.get(f["name"], f.get("default")), f["type"])
            for f in schema["fields"]
        }
    if kind == "array" and isinstance(value, Sequence):
        return [as_written(one, schema["items"]) for one in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: as_written(one, schema["values"]) for key, one in value.items()}
    return value
