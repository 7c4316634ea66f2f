"""Arrow types of Avro types: what Iceberg columns are made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.avro.schema import Schema, kind_of, logical_of

UTC_MICROS = pa.timestamp("us", tz="UTC")

PRIMITIVES = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.string(),
    "enum": pa.string(),
}
LOGICAL = {
    "timestamp-micros": UTC_MICROS,
    "timestamp-millis": UTC_MICROS,
    "local-timestamp-micros": pa.timestamp("us"),
    "local-timestamp-millis": pa.timestamp("us"),
    "date": pa.date32(),
    "time-micros": pa.time64("us"),
    "time-millis": pa.time64("us"),
}
MAX_DECIMAL_PRECISION = 38


class UnsupportedTypeError(ValueError):
    """No Iceberg type holds this Avro type.

    Attributes:
        fields: the names of the fields that it is in, the outermost first.
    """

    fields: tuple[str, ...] = ()


def fields(record: Mapping[str, Any]) -> list[pa.Field]:
    """Return one nullable field for each of a record's. `record` is any valid Avro record schema.

    Raises:
        UnsupportedTypeError: a field's type has no Iceberg type.
    """
    schema = Schema(record)
    return _record_fields(schema.root, schema, ())


def field_type(field: Mapping[str, Any], schema: Schema) -> pa.DataType:
    """Return the type of one of the fields of `schema`, a record; both are in normal form.

    Raises:
        UnsupportedTypeError: it has no Iceberg type.
    """
    return _field_type(field, schema, (schema.root["name"],))


def column_type(schema: Any) -> pa.DataType:
    """Return the type of one schema in normal form that holds no other.

    Raises:
        UnsupportedTypeError: it has no Iceberg type.
    """
    return _type(schema, Schema("null"), ())


def _record_fields(record: Any, names: Schema, within: tuple[str, ...]) -> list[pa.Field]:
    if record["name"] in within:
        raise UnsupportedTypeError(f"record {record['name']} holds itself")
    inside = (*within, record["name"])
    return [
        pa.field(field["name"], _field_type(field, names, inside)) for field in record["fields"]
    ]


def _field_type(field: Mapping[str, Any], names: Schema, within: tuple[str, ...]) -> pa.DataType:
    try:
        return _type(field["type"], names, within)
    except UnsupportedTypeError as error:
        error.fields = (field["name"], *error.fields)
        raise


def _type(schema: Any, names: Schema, within: tuple[str, ...]) -> pa.DataType:
    found = names.branch(schema)
    if found is None:
        several = any(one != "null" for one in names.deref(schema))
        raise UnsupportedTypeError(
            "a union of more than one type besides null" if several else "a union of null alone"
        )
    kind, logical = kind_of(found), logical_of(found)
    if logical in LOGICAL:
        return LOGICAL[logical]
    if logical == "decimal":
        if found["precision"] > MAX_DECIMAL_PRECISION:
            raise UnsupportedTypeError(f"a decimal of more than {MAX_DECIMAL_PRECISION} digits")
        return pa.decimal128(found["precision"], found["scale"])
    match kind:
        case "record":
            if not found["fields"]:
                raise UnsupportedTypeError(f"record {found['name']}, which has no fields")
            return pa.struct(_record_fields(found, names, within))
        case "array":
            return pa.list_(_type(found["items"], names, within))
        case "map":
            return pa.map_(pa.string(), _type(found["values"], names, within))
        case "fixed":
            return pa.binary(found["size"])
    if kind in PRIMITIVES:
        return PRIMITIVES[kind]
    raise UnsupportedTypeError(f"type {kind}")


def holds_time(column: pa.DataType) -> bool:
    """Return whether a column is a time of day or has one inside: Iceberg has the type, Spark has not."""
    return time_inside(column) is not None


def time_inside(column: pa.DataType) -> tuple[str, ...] | None:
    """Return the names of the fields that the first time of day in a column is in; None if it has none."""
    if not pa.types.is_nested(column):
        return () if pa.types.is_time(column) else None
    if pa.types.is_map(column):
        return time_inside(column.item_type)
    for field in (column.field(at) for at in range(column.num_fields)):
        if (found := time_inside(field.type)) is not None:
            return (field.name, *found) if pa.types.is_struct(column) else found
    return None


def promotes(old: pa.DataType, new: pa.DataType) -> bool:
    """Return whether an Iceberg column of type `old` can become `new`, another, by Iceberg's promotions.

    Of types that hold no others: those that do are followed part by part. Narrower than Avro's, which let a
    long become a double, or bytes a string.
    """
    if pa.types.is_decimal(old) and pa.types.is_decimal(new):
        return bool(old.scale == new.scale and old.precision < new.precision)
    return (old, new) in ((pa.int32(), pa.int64()), (pa.float32(), pa.float64()))
