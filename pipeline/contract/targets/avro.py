"""The Avro schema that a product's payloads are read as."""

from __future__ import annotations

import copy
from typing import Any

from pipeline.avro.logical_types import logical_type, type_name
from pipeline.contract.model import Product

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
    # ODCS demands a map's types beside `map`: they would be stated twice.
    "map": ("object", "map"),
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


def odcs_types(schema: Any) -> tuple[str, ...]:
    """Return the ODCS logical types that may describe a field; none for a union of several types."""
    logical = logical_type(schema) or ""
    if logical.endswith("-nanos"):
        return ODCS_TYPES["long"]
    for prefix, odcs in (
        ("timestamp", "timestamp"),
        ("local-timestamp", "timestamp"),
        ("time", "time"),
    ):
        if logical.startswith(f"{prefix}-"):
            return (odcs,)
    return ODCS_TYPES.get(logical) or ODCS_TYPES.get(type_name(schema), ())
