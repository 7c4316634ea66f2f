"""Whether parsed JSON is an Avro schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastavro.schema import SchemaParseException, UnknownType, parse_schema


class NotAvroError(ValueError):
    """The JSON is not an Avro schema; the text says why."""


def require_avro(schema: Mapping[str, Any]) -> None:
    """Return if `schema` is an Avro schema.

    Raises:
        NotAvroError: it is not.
    """
    try:
        parse_schema(dict(schema))
    except UnknownType as error:
        raise NotAvroError(f"unknown type {error.name}") from None
    except (SchemaParseException, KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAvroError(f"{type(error).__name__}: {error}") from None
    _require_fields(schema)


def _require_fields(schema: Any) -> None:
    # fastavro takes a record without `fields` for one that has none.
    if isinstance(schema, list):
        for branch in schema:
            _require_fields(branch)
    if not isinstance(schema, Mapping):
        return
    if schema.get("type") in ("record", "error"):
        fields = schema.get("fields")
        if not isinstance(fields, list):
            raise NotAvroError(f"record {schema.get('name')} has no list `fields`")
        for field in fields:
            _require_fields(field["type"])
    for key in ("type", "items", "values"):
        if not isinstance(schema.get(key), str):
            _require_fields(schema.get(key))
