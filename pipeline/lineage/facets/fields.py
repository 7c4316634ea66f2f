"""The facet `schema` of tables, topics and reference data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from openlineage.client.facet_v2 import DatasetFacet, schema_dataset
from pyiceberg.schema import Schema

Field = schema_dataset.SchemaDatasetFacetFields


def table_fields(schema: Schema | pa.Schema) -> DatasetFacet:
    """Return the columns of a table."""
    if isinstance(schema, Schema):
        return _facet(_field(one.name, one.field_type, one.doc) for one in schema.fields)
    return _facet(_field(one.name, one.type, _doc(one)) for one in schema)


def topic_fields(payload: Mapping[str, Any]) -> DatasetFacet:
    """Return the fields of the newest version of a topic's payload, by its Avro schema."""
    return _facet(
        _field(one["name"], _avro(one["type"]), one.get("doc")) for one in payload["fields"]
    )


def named_fields(names: Iterable[str]) -> DatasetFacet:
    """Return columns of which the names are known alone."""
    return _facet(Field(name=name) for name in dict.fromkeys(names))


def _facet(fields: Iterable[Field]) -> DatasetFacet:
    return schema_dataset.SchemaDatasetFacet(fields=list(fields))


def _field(name: str, kind: object, doc: str | None) -> Field:
    return Field(name=name, type=str(kind), description=doc)


def _doc(field: pa.Field) -> str | None:
    found: bytes | None = (field.metadata or {}).get(b"doc")
    return None if found is None else found.decode()


def _avro(schema: Any) -> str:
    if isinstance(schema, list):
        return " | ".join(_avro(one) for one in schema)
    if isinstance(schema, Mapping):
        return str(schema.get("logicalType") or schema.get("name") or _avro(schema["type"]))
    return str(schema)
