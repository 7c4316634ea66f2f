"""Iceberg's types as DuckDB names them."""

from __future__ import annotations

from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

_NAMES: dict[type[IcebergType], str] = {
    BooleanType: "BOOLEAN",
    IntegerType: "INTEGER",
    LongType: "BIGINT",
    FloatType: "REAL",
    DoubleType: "DOUBLE",
    DateType: "DATE",
    TimeType: "TIME",
    TimestampType: "TIMESTAMP",
    TimestamptzType: "TIMESTAMPTZ",
    StringType: "VARCHAR",
    UUIDType: "UUID",
    FixedType: "BLOB",
    BinaryType: "BLOB",
}


def duckdb_type(kind: IcebergType) -> str | None:
    """Return the type's name in DuckDB; None of one that no table of Headwater has."""
    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if isinstance(kind, ListType):
        element = duckdb_type(kind.element_type)
        return None if element is None else f"{element}[]"
    if isinstance(kind, MapType):
        key, value = duckdb_type(kind.key_type), duckdb_type(kind.value_type)
        return None if key is None or value is None else f"MAP({key}, {value})"
    if isinstance(kind, StructType):
        fields = [(one.name, duckdb_type(one.field_type)) for one in kind.fields]
        if any(named is None for _, named in fields):
            return None
        return f"STRUCT({', '.join(f'{identifier(name)} {named}' for name, named in fields)})"
    return _NAMES.get(type(kind))


def identifier(name: str) -> str:
    """Return a name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as SQL quotes it."""
    return "'" + value.replace("'", "''") + "'"
