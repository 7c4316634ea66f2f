"""The slow reference: fastavro, a value at a time, and Arrow columns told as plain Python."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa

from tests.decoder.schemas import Schema, plain


class Reference:
    """Reads values of one writer's schema as a reader's, with fastavro."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._writer = fastavro.parse_schema(plain(writer))
        self._reader = fastavro.parse_schema(plain(reader))
        self._fields = reader["fields"]

    def encode(self, value: Any) -> bytes:
        """Return `value` in Avro binary."""
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._writer, value)
        return out.getvalue()

    def read(self, body: bytes) -> dict[str, Any] | None:
        """Return the fields that `body` holds, as `told` tells columns; None where it holds none."""
        stream = _Whole(body)
        try:
            found = fastavro.schemaless_reader(stream, self._writer, self._reader)
        except Exception:  # noqa: BLE001 - whatever fastavro raises, there is no value
            return None
        if stream.tell() != len(body) or not isinstance(found, dict):
            return None
        return {f["name"]: as_told(found[f["name"]], f["type"]) for f in self._fields}


class _Whole(io.BytesIO):
    """Or fastavro skips what is not there, for as many items as a broken array claims to have."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if size is None or len(found) != size:
            raise EOFError
        return found


def row(fields: Mapping[str, Any], columns: Sequence[pa.Field]) -> pa.Table:
    """Return one row of `columns`."""
    return pa.Table.from_pylist([dict(fields)], schema=pa.schema(columns))


def as_told(value: Any, schema: Schema) -> Any:
    """Return a value as it is on the wire, as `told` tells one of a column."""
    if isinstance(schema, list):
        one = next((branch for branch in schema if branch != "null"), "null")
        return None if value is None else as_told(value, one)
    kind = schema if isinstance(schema, str) else schema["type"]
    logical = None if isinstance(schema, str) else schema.get("logicalType")
    if logical in ("timestamp-millis", "time-millis"):
        return value * 1000
    if logical == "decimal":
        return int.from_bytes(value, "big", signed=True)
    if kind == "float":
        return repr(float(np.float32(value)))
    if kind == "double":
        return repr(float(value))
    if kind == "array":
        return [as_told(one, schema["items"]) for one in value]
    if kind == "map":
        return sorted((k, as_told(v, schema["values"])) for k, v in value.items())
    if kind == "record":
        return {f["name"]: as_told(value[f["name"]], f["type"]) for f in schema["fields"]}
    return value


def told(array: pa.Array) -> list[Any]:
    """Return a column as plain values: times as numbers, decimals unscaled, floats as text."""
    if pa.types.is_struct(array.type):
        names = [array.type.field(i).name for i in range(array.type.num_fields)]
        inner = [told(part) for part in array.flatten()]
        rows = [dict(zip(names, row, strict=True)) for row in zip(*inner, strict=True)]
        return [r if v else None for r, v in zip(rows, array.is_valid().to_pylist(), strict=True)]
    if pa.types.is_map(array.type):
        keys, items = told(array.keys), told(array.items)
        return [
            None
            if span is None
            else sorted(zip(keys[slice(*span)], items[slice(*span)], strict=True))
            for span in _spans(array)
        ]
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        inside = told(array.values)
        return [None if span is None else inside[slice(*span)] for span in _spans(array)]
    if pa.types.is_timestamp(array.type) or pa.types.is_time(array.type):
        return list(array.cast(pa.int64()).to_pylist())
    if pa.types.is_date(array.type):
        return list(array.cast(pa.int32()).to_pylist())
    found = array.to_pylist()
    if pa.types.is_floating(array.type):
        return [None if one is None else repr(float(one)) for one in found]
    if pa.types.is_decimal(array.type):
        scale = array.type.scale
        return [None if one is None else _unscaled(one, scale) for one in found]
    return list(found)


def _unscaled(number: Decimal, scale: int) -> int:
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or -exponent != scale:
        raise ValueError(f"{number} is not of scale {scale}")
    found = int("".join(map(str, digits)))
    return -found if sign else found


def _spans(array: Any) -> list[tuple[int, int] | None]:
    ends = array.offsets.to_pylist()
    valid = array.is_valid().to_pylist()
    return [(ends[i], ends[i + 1]) if valid[i] else None for i in range(len(array))]


def encoded(schema: Schema, value: Any) -> bytes:
    """Return `value`, with times as numbers, in Avro binary."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(plain(schema)), value)
    return out.getvalue()
