"""Arrow columns as plain Python, with nothing rounded: floats are their bits, times and decimals numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa

from tests.round_trip.avro import Type

_SIMPLE = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "enum": pa.string(),
    "bytes": pa.binary(),
    "fixed": pa.binary(),
}


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return a table's rows, by column."""
    columns = {name: told(table[name].combine_chunks()) for name in table.column_names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def told(array: pa.Array) -> list[Any]:
    """Return a column's values; those of a map sorted by key."""
    kind = array.type
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], kind)
    if pa.types.is_struct(kind):
        names = [kind.field(i).name for i in range(kind.num_fields)]
        inner = zip(*(told(part) for part in array.flatten()), strict=True)
        found = [dict(zip(names, row, strict=True)) for row in inner]
        return [r if v else None for r, v in zip(found, array.is_valid().to_pylist(), strict=True)]
    if pa.types.is_map(kind):
        pairs = list(zip(told(array.keys), told(array.items), strict=True))
        return [
            None if s is None else sorted(pairs[s], key=lambda p: str(p[0])) for s in _spans(array)
        ]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inside = told(array.values)
        return [None if s is None else inside[s] for s in _spans(array)]
    if pa.types.is_timestamp(kind) or kind in (pa.float64(), pa.time64("us")):
        return list(array.view(pa.int64()).to_pylist())
    if pa.types.is_date32(kind) or kind == pa.float32():
        return list(array.view(pa.int32()).to_pylist())
    if pa.types.is_decimal(kind):
        return [None if one is None else _unscaled(one, kind.scale) for one in array.to_pylist()]
    return list(array.to_pylist())


def arrow_type(type_: Type) -> pa.DataType:
    """Return the Arrow type that engines are to give a column of `type_`, as `plainly` tells it."""
    held = type_.held
    if held.logical in ("timestamp-micros", "timestamp-millis"):
        return pa.timestamp("us", "UTC")
    if held.logical in ("local-timestamp-micros", "local-timestamp-millis"):
        return pa.timestamp("us")
    if held.logical == "date":
        return pa.date32()
    if held.logical == "decimal":
        return pa.decimal128(held.more["precision"], held.more.get("scale", 0))
    if held.kind == "record":
        return pa.struct([(name, arrow_type(part)) for name, part in held.parts])
    if held.kind == "array":
        return pa.list_(arrow_type(held.parts[0][1]))
    if held.kind == "map":
        return pa.map_(pa.string(), arrow_type(held.parts[0][1]))
    return _SIMPLE[held.kind]


def plainly(kind: pa.DataType) -> pa.DataType:
    """Return an engine's type without what engines may differ in: sizes of offsets, fixed or not."""
    if pa.types.is_struct(kind):
        return pa.struct([(f.name, plainly(f.type)) for f in kind])
    if pa.types.is_map(kind):
        return pa.map_(plainly(kind.key_type), plainly(kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(plainly(kind.value_type))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_large_binary(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return pa.timestamp(kind.unit, "UTC")
    return kind


def _unscaled(number: Decimal, scale: int) -> int:
    sign, figures, exponent = number.as_tuple()
    if exponent != -scale:
        raise ValueError(f"{number} is not of scale {scale}")
    found = int("".join(map(str, figures)))
    return -found if sign else found


def _spans(array: Any) -> list[slice | None]:
    ends = array.offsets.to_pylist()
    valid = array.is_valid().to_pylist()
    return [slice(ends[i], ends[i + 1]) if valid[i] else None for i in range(len(array))]
