"""The type that a table's column has of data that brings its own types."""

from __future__ import annotations

import pyarrow as pa
from pyarrow import types

from pipeline.avro.arrow import MAX_DECIMAL_PRECISION, UTC_MICROS, UnsupportedTypeError


def table_type(kind: pa.DataType) -> pa.DataType:
    """Return the narrowest type with an Iceberg type that holds the values of `kind`.

    Times are to the microsecond, unsigned 64-bit numbers are signed: whether the values fit is for the
    cast to say.

    Raises:
        UnsupportedTypeError: there is none.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return table_type(kind.storage_type)
    if types.is_dictionary(kind):
        return table_type(kind.value_type)
    if types.is_boolean(kind) or types.is_float32(kind) or types.is_float64(kind):
        return kind
    if types.is_float16(kind):
        return pa.float32()
    if types.is_integer(kind):
        bits = kind.bit_width + types.is_unsigned_integer(kind)
        return pa.int32() if bits <= 32 else pa.int64()
    if types.is_decimal(kind) and 0 <= kind.scale <= kind.precision <= MAX_DECIMAL_PRECISION:
        return pa.decimal128(kind.precision, kind.scale)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_timestamp(kind):
        return pa.timestamp("us") if kind.tz is None else UTC_MICROS
    if types.is_time(kind):
        raise UnsupportedTypeError("a time of day, and Spark reads no table with one")
    if types.is_date32(kind):
        return kind
    if types.is_date64(kind):
        return pa.date32()
    if _is_bytes(kind):
        return pa.binary()
    if types.is_struct(kind):
        return pa.struct([pa.field(part.name, table_type(part.type)) for part in kind])
    if types.is_map(kind):
        return pa.map_(table_type(kind.key_type), table_type(kind.item_type))
    if hasattr(kind, "value_type"):
        return pa.list_(table_type(kind.value_type))
    raise UnsupportedTypeError(f"type {kind} has no Iceberg type")


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    )
