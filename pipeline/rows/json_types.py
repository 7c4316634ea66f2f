"""How each type is read from JSON in columns: as what Arrow reads it, and what is made sure of then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.avro.arrow import column_type
from pipeline.avro.decoding.ranges import RANGES
from pipeline.avro.encode import named
from pipeline.avro.schema import Schema, kind_of, logical_of
from pipeline.rows.defaults import default_value
from pipeline.rows.frames import to_series

Sound = npt.NDArray[np.bool_]
"""Of each row, whether what was read is what reading it alone would give."""
Finish = Callable[[pa.Array], tuple[pa.Array, Sound]]

_DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_UUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_TICKS = {"millis": (3, 1_000), "micros": (6, 1_000_000)}
_PLAIN = {"boolean": pa.bool_(), "int": pa.int32(), "long": pa.int64(), "string": pa.string()}


class NotColumnarError(ValueError):
    """A type is read from JSON value by value; says which."""


@dataclass(frozen=True)
class Reading:
    """How values of one type are read.

    Attributes:
        type: as what Arrow reads them.
        finish: makes the column of that, and tells which rows to trust.
        of_number: how they are read where they are numbers, of a time that may be either; None for others.
    """

    type: pa.DataType
    finish: Finish
    of_number: Reading | None = None


def field_reading(field: Mapping[str, Any], schema: Schema) -> Reading:
    """Return how a field of a record is read; null, or absent, is trusted only where it means null.

    Raises:
        NotColumnarError: it cannot be, in columns.
    """
    type_ = schema.deref(field["type"])
    found = schema.branch(type_)
    if found is None:
        raise NotColumnarError(f"{field['name']} is a union of several types")
    may_be_null = isinstance(type_, list) and "null" in type_
    if "default" in field:
        root, names = named(schema.standalone(type_))
        may_be_null &= default_value(field["default"], root, names) is None
    reading = _reading(found, schema, field["name"])
    return reading if may_be_null else _required(reading)


def _required(reading: Reading) -> Reading:
    def finish(read: pa.Array) -> tuple[pa.Array, Sound]:
        made, sound = reading.finish(read)
        return made, sound & _mask(made.is_valid())

    of_number = reading.of_number and _required(reading.of_number)
    return Reading(reading.type, finish, of_number)


def _reading(found: Any, schema: Schema, name: str) -> Reading:
    kind, logical = kind_of(found), logical_of(found) or ""
    prefix, _, unit = logical.rpartition("-")
    if prefix in ("timestamp", "local-timestamp") and unit in _TICKS:
        return _instant(column_type(found), logical, unit)
    if logical == "date":
        return Reading(pa.string(), _day)
    if logical == "uuid" and kind == "string":
        return Reading(pa.string(), lambda read: (read, _matching(read, _UUID)))
    if logical == "decimal":
        return Reading(column_type(found), _trusted)
    if logical and kind not in _PLAIN:
        raise NotColumnarError(f"{name} is a {logical}")
    match kind:
        case "float" | "double":
            return Reading(pa.float64(), lambda read: _finite(read, column_type(found)))
        case "enum":
            symbols = pa.array(found["symbols"])
            return Reading(
                pa.string(),
                lambda read: (read, _mask(pc.is_in(read, symbols)) | _mask(read.is_null())),
            )
        case "record":
            return _record(found, schema)
        case "array":
            return _list(field_reading({"name": name, "type": found["items"]}, schema))
    if kind not in _PLAIN or logical:
        raise NotColumnarError(f"{name} is of type {logical or kind}")
    return Reading(_PLAIN[kind], _trusted)


def _trusted(read: pa.Array) -> tuple[pa.Array, Sound]:
    return read, np.ones(len(read), np.bool_)


def _finite(read: pa.Array, type_: pa.DataType) -> tuple[pa.Array, Sound]:
    made = read.cast(type_, safe=False)
    return made, _mask(pc.fill_null(pc.is_finite(made), fill_value=True))


def _day(read: pa.Array) -> tuple[pa.Array, Sound]:
    texts = to_series(read)
    made = texts.str.to_date("%Y-%m-%d", strict=False).to_arrow()
    return made, _matching(read, _DAY + "$") & _mask(pc.equal(made.is_valid(), read.is_valid()))


def _instant(type_: pa.DataType, logical: str, unit: str) -> Reading:
    digits, per_second = _TICKS[unit]
    pattern = _DAY + rf"T[0-9]{{2}}:[0-9]{{2}}:[0-5][0-9](\.[0-9]{{1,{digits}}})?Z$"
    limits = RANGES[logical]

    def of_text(read: pa.Array) -> tuple[pa.Array, Sound]:
        texts = to_series(read)
        made = texts.str.to_datetime(
            "%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False
        ).to_arrow()
        is_same = pc.equal(made.is_valid(), read.is_valid())
        return made.cast(pa.timestamp("us")).cast(type_, safe=False), _matching(
            read, pattern
        ) & _mask(is_same)

    def of_number(read: pa.Array) -> tuple[pa.Array, Sound]:
        within = pc.and_(pc.greater_equal(read, limits.low), pc.less_equal(read, limits.high))
        sound = _mask(pc.fill_null(within, fill_value=True))
        kept = pc.if_else(pa.array(sound), read, None)
        micros = pc.multiply(kept, 1_000_000 // per_second)
        return micros.cast(pa.timestamp("us")).cast(type_, safe=False), sound

    return Reading(pa.string(), of_text, Reading(pa.int64(), of_number))


def _record(found: Any, schema: Schema) -> Reading:
    readings = {field["name"]: field_reading(field, schema) for field in found["fields"]}

    def finish(read: pa.Array) -> tuple[pa.Array, Sound]:
        parts = [
            readings[name].finish(part) for name, part in zip(readings, read.flatten(), strict=True)
        ]
        is_null = _mask(read.is_null())
        sound = np.logical_and.reduce([one for _, one in parts]) | is_null
        fields = [
            pa.field(name, made.type) for name, (made, _) in zip(readings, parts, strict=True)
        ]
        made = [made for made, _ in parts]
        return pa.StructArray.from_arrays(made, fields=fields, mask=pa.array(is_null)), sound

    return Reading(pa.struct([pa.field(name, one.type) for name, one in readings.items()]), finish)


def _list(item: Reading) -> Reading:
    def finish(read: pa.Array) -> tuple[pa.Array, Sound]:
        made, sound = item.finish(read.flatten())
        lengths = pc.fill_null(pc.list_value_length(read), 0).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        bad = np.concatenate([[0], np.cumsum(~sound)])
        ends = pa.array(offsets, pa.int32())
        found = pa.ListArray.from_arrays(ends, made, mask=read.is_null())
        return found, bad[offsets[1:]] == bad[offsets[:-1]]

    return Reading(pa.list_(item.type), finish)


def _matching(read: pa.Array, pattern: str) -> Sound:
    return _mask(pc.fill_null(pc.match_substring_regex(read, pattern), fill_value=True))


def _mask(array: pa.Array) -> Sound:
    found: Sound = array.to_numpy(zero_copy_only=False).astype(np.bool_)
    return found
