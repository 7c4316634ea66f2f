"""Logical types: which mean something, and schemas without those that do not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

TIMESTAMPS = ("timestamp-micros", "timestamp-millis")
"""Logical types that hold an instant."""


LOGICAL_BASES: Mapping[str, tuple[str, ...]] = {
    "date": ("int",),
    "time-millis": ("int",),
    "time-micros": ("long",),
    "timestamp-millis": ("long",),
    "timestamp-micros": ("long",),
    "timestamp-nanos": ("long",),
    "local-timestamp-millis": ("long",),
    "local-timestamp-micros": ("long",),
    "local-timestamp-nanos": ("long",),
    "uuid": ("string", "fixed"),
    "decimal": ("bytes", "fixed"),
    "big-decimal": ("bytes",),
    "duration": ("fixed",),
}
"""Logical type -> the Avro types that it has a meaning on."""


_FIXED_SIZES = {"uuid": 16, "duration": 12}


def valid_logical(schema: Any) -> str | None:
    """Return the logical type of one schema that is no union and no name; None where Avro ignores it.

    Avro ignores a logical type that it does not know, that stands on a wrong type, and a decimal without
    digits, with a scale outside them, or with more digits than its fixed bytes can hold.
    """
    if not isinstance(schema, Mapping):
        return None
    name, kind = schema.get("logicalType"), schema.get("type")
    if not isinstance(name, str) or kind not in LOGICAL_BASES.get(name, ()):
        return None
    if kind == "fixed" and schema.get("size") != _FIXED_SIZES.get(name, schema.get("size")):
        return None
    if name != "decimal":
        return name
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if type(precision) is not int or type(scale) is not int:
        return None
    most = math.floor(math.log10(2) * (8 * schema["size"] - 1)) if kind == "fixed" else precision
    return name if 0 < precision <= most and 0 <= scale <= precision else None


def with_text_uuids(schema: Any) -> Any:
    """Return parsed JSON `schema` without the logical type uuid: uuids are read as the text they are.

    The tables hold them as strings.
    """
    if isinstance(schema, list):
        return [with_text_uuids(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    uuid = schema.get("type") == "string" and schema.get("logicalType") == "uuid"
    return {
        key: value if key == "default" else with_text_uuids(value)
        for key, value in schema.items()
        if not (uuid and key == "logicalType")
    }


def without_ignored(schema: Any) -> Any:
    """Return parsed JSON `schema` without the logical types that Avro ignores."""
    if isinstance(schema, list):
        return [without_ignored(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    ignored = isinstance(schema.get("type"), str) and valid_logical(schema) is None
    return {
        key: value if key == "default" else without_ignored(value)
        for key, value in schema.items()
        if not (ignored and key == "logicalType")
    }


def non_null(schema: Any) -> Any:
    """Return the one branch of a nullable union that is not null; anything else as it is."""
    if isinstance(schema, list):
        branches = [branch for branch in schema if branch not in ("null", {"type": "null"})]
        if len(branches) == 1:
            return branches[0]
    return schema


def type_name(schema: Any) -> str:
    """Return the type of a field's schema, through nullable unions: `string`, `record`, `union` ..."""
    schema = non_null(schema)
    if isinstance(schema, list):
        return "union"
    if isinstance(schema, dict):
        return str(schema["type"]) if isinstance(schema["type"], str) else type_name(schema["type"])
    return str(schema)


def logical_type(schema: Any) -> str | None:
    """Return the logical type of a field's schema, through nullable unions; None where Avro ignores it."""
    schema = non_null(schema)
    if isinstance(schema, dict):
        kind = schema["type"]
        return valid_logical(schema) if isinstance(kind, str) else logical_type(kind)
    return None
