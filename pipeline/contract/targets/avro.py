"""The Avro schema that a product's payloads are read as."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pipeline.contract.model import Product

TIMESTAMPS = ("timestamp-micros", "timestamp-millis")
"""Logical types that hold an instant."""

ODCS_TYPES = {
    "boolean": ("boolean",),
    "int": ("integer",),
    "long": ("integer",),
    "float": ("number",),
    "double": ("number",),
    "bytes": ("string",),
    "fixed": ("string",),
    "string": ("string",),
    "enum": ("string",),
    "array": ("array", "vector"),
    "map": ("map",),
    "record": ("object",),
    "date": ("date",),
    "decimal": ("number",),
}
"""Avro type or logical type -> the ODCS logical types that may describe it."""


def reader_schema(product: Product) -> dict[str, Any]:
    """Return the newest payload schema, as parsed JSON of the caller's own.

    It reads what every earlier version wrote: the contract check has made sure.
    """
    return copy.deepcopy(product.payload_schema)


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


def non_null(schema: Any) -> Any:
    """Return the one branch of a nullable union that is not null; anything else as it is."""
    if isinstance(schema, list):
        branches = [branch for branch in schema if branch != "null"]
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
    """Return the logical type of a field's schema, through nullable unions."""
    schema = non_null(schema)
    if isinstance(schema, dict):
        found = schema.get("logicalType")
        return found if isinstance(found, str) else logical_type(schema["type"])
    return None


def odcs_types(schema: Any) -> tuple[str, ...]:
    """Return the ODCS logical types that may describe a field; none for a union of several types."""
    logical = logical_type(schema) or ""
    for prefix, odcs in (
        ("timestamp", "timestamp"),
        ("local-timestamp", "timestamp"),
        ("time", "time"),
    ):
        if logical.startswith(f"{prefix}-"):
            return (odcs,)
    return ODCS_TYPES.get(logical) or ODCS_TYPES.get(type_name(schema), ())
