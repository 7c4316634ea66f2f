"""Python values of Arrow arrays, exact whatever the type: times keep their unit, maps their pairs."""

from __future__ import annotations

import uuid
from typing import Any

import pyarrow as pa
from pyarrow import types

from pipeline.rows.times import Clock, Day, Moment

_PER_SECOND = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}


class Pairs(list[tuple[Any, Any]]):
    """Keys and values of a map, in the file's order."""


class Untyped:
    """A value of a type that no Avro type holds."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"a value of type {self._name}"


def values_of(array: pa.Array) -> list[Any]:
    """Return the array's values: times as `Moment`, `Clock` and `Day`, maps as `Pairs`.

    A text that is not UTF-8 is its bytes.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        stored = values_of(array.storage)
        if kind.extension_name == "arrow.uuid":
            return [None if one is None else str(uuid.UUID(bytes=one)) for one in stored]
        return stored
    if types.is_dictionary(kind):
        return values_of(array.dictionary_decode())
    if types.is_timestamp(kind):
        per_second, zone = _PER_SECOND[kind.unit], kind.tz
        return [
            None if one is None else Moment(one, per_second, zone) for one in _counts(array, 64)
        ]
    if types.is_time(kind):
        per_second = _PER_SECOND[kind.unit]
        counts = _counts(array, kind.bit_width)
        return [None if one is None else Clock(one, per_second) for one in counts]
    if types.is_date32(kind):
        return [None if one is None else Day(one) for one in _counts(array, 32)]
    if types.is_date64(kind):
        return [None if one is None else Moment(one, 1000) for one in _counts(array, 64)]
    if types.is_struct(kind):
        names = [kind.field(index).name for index in range(kind.num_fields)]
        columns = [values_of(column) for column in array.flatten()]
        rows = zip(*columns, strict=True) if columns else iter([()] * len(array))
        valid = array.is_valid().to_pylist()
        return [
            dict(zip(names, row, strict=True)) if there else None
            for there, row in zip(valid, rows, strict=True)
        ]
    if types.is_map(kind):
        return _maps(array)
    if _is_list(kind):
        return list(_cut(array, values_of(array.flatten())))
    if types.is_duration(kind) or types.is_interval(kind):
        return [Untyped(str(kind)) if one else None for one in array.is_valid().to_pylist()]
    try:
        found: list[Any] = array.to_pylist()
    except UnicodeDecodeError:
        large = types.is_large_string(kind)
        found = [
            _text(one)
            for one in array.cast(pa.large_binary() if large else pa.binary()).to_pylist()
        ]
    return found


def _maps(array: pa.MapArray) -> list[Pairs | None]:
    ends = array.offsets.to_pylist()
    first, size = ends[0], ends[-1] - ends[0]
    keys, items = (values_of(part.slice(first, size)) for part in (array.keys, array.items))
    pairs = list(zip(keys, items, strict=True))
    return [
        Pairs(pairs[begin - first : end - first]) if valid else None
        for begin, end, valid in zip(ends, ends[1:], array.is_valid().to_pylist(), strict=False)
    ]


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def _counts(array: pa.Array, bits: int) -> list[int | None]:
    found: list[int | None] = array.cast(pa.int32() if bits == 32 else pa.int64()).to_pylist()
    return found


def _cut(array: pa.Array, flat: list[Any]) -> Any:
    start = 0
    for length in array.value_lengths().to_pylist():
        if length is None:
            yield None
        else:
            yield flat[start : start + length]
            start += length


def _text(value: bytes | None) -> str | bytes | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value
