"""Fields within fields, named by a path: `source.ts_ms` is the field `ts_ms` of the record `source`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.avro.schema import Schema, kind_of


def type_at(schema: Schema, path: str) -> Any | None:
    """Return the type of the field at a path of records, null or not; None where there is no such field."""
    type_: Any = schema.root
    for name in path.split("."):
        record = schema.branch(type_)
        if record is None or kind_of(record) != "record":
            return None
        found = [field["type"] for field in record["fields"] if field["name"] == name]
        if not found:
            return None
        type_ = schema.deref(found[0])
    return type_


def value_at(fields: Any, path: str) -> Any:
    """Return the value at a path of mappings; None where one of them, or the field, is not there."""
    found = fields
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def with_value(fields: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return `fields` with the value at a path of records; what they were is not changed."""
    first, _, rest = path.partition(".")
    return {**fields, first: with_value(fields.get(first) or {}, rest, value) if rest else value}
