"""Columns of texts and of Arrow's values, as Polars series of an Avro type, or of what they show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.avro import arrow
from pipeline.avro.encode import named, plain
from pipeline.avro.logical_types import valid_logical, without_ignored
from pipeline.rows.convert import value_converter
from pipeline.rows.times import Moment, moment, rescaled

MICROSECOND = 10**6
_WHOLE = r"^(?:0|-?[1-9][0-9]*)$"
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?$"
_EXACT = Context(prec=1000)


class ColumnError(ValueError):
    """A value of a column does not fit. `row` counts from 0, `others` are like it."""

    def __init__(self, problem: str, row: int, others: int) -> None:
        super().__init__(f"{problem} ({others} more like it)" if others else problem)
        self.row = row


def typed(values: Iterable[Any], schema: Any) -> pl.Series:
    """Return values of a file, None among them, as a column of an Avro type; exact or not at all.

    Raises:
        ColumnError: a value does not fit.
        UnsupportedTypeError: the type has no Iceberg type.
    """
    kind = arrow_type(schema)
    convert, final = value_converter(schema), _final(schema)
    found = _each(values, lambda value: final(convert(value)))
    if pa.types.is_timestamp(kind):
        return _series(pa.array(found, pa.int64()).cast(kind))
    if pa.types.is_time(kind):
        return _series(pa.array(found, pa.int64()).cast(kind))
    if pa.types.is_date(kind):
        return _series(pa.array(found, pa.int32()).cast(kind))
    return _series(pa.array(found, kind))


def instants(values: Iterable[Any]) -> pl.Series:
    """Return dates and times of a file, None among them, as instants in UTC to the microsecond.

    What says no zone is UTC.

    Raises:
        ColumnError: a value is no time, or finer than a microsecond.
    """

    def of(value: Any) -> int:
        found: Moment = moment(value)
        return rescaled(found.ticks, found.per_second, MICROSECOND)

    return _series(pa.array(_each(values, of), pa.int64()).cast(pa.timestamp("us", "UTC")))


def shown_type(values: pl.Series) -> pl.Series:
    """Return a column of texts as the type that it shows: where every text is how that type is written.

    Whole numbers of 64 bits; doubles, where a text has a point and each is the shortest that means its
    number; `true` and `false`, or `True` and `False`. So nothing is lost, and `00501`, `1.50`, `+1` and
    `1e5` stay texts, and every other column with one of them. A column of nulls is of texts.
    """
    given = values.drop_nulls()
    if given.is_empty():
        return values
    if given.str.contains(_WHOLE).all():
        numbers = values.cast(pl.Int64, strict=False)
        return numbers if numbers.null_count() == values.null_count() else values
    if given.str.contains(_NUMBER).all() and given.str.contains(".", literal=True).any():
        if all(_shortest(text) for text in given.unique()):
            return values.cast(pl.Float64)
        return values
    for true, false in (("true", "false"), ("True", "False")):
        if given.is_in([true, false]).all():
            return values == true
    return values


def arrow_type(schema: Any) -> pa.DataType:
    """Return the type that a table's column has of an Avro schema.

    Raises:
        UnsupportedTypeError: there is none.
    """
    record = {"type": "record", "name": "Column_", "fields": [{"name": "c", "type": schema}]}
    (field,) = arrow.fields(without_ignored(record))
    return field.type


def _shortest(text: str) -> bool:
    number = repr(float(text))
    return number == text or number == f"{text}.0"


def _each(values: Iterable[Any], convert: Callable[[Any], Any]) -> list[Any]:
    seen: dict[Any, Any] = {}
    found: list[Any] = []
    first: tuple[int, str] | None = None
    wrong = 0
    for row, value in enumerate(values):
        if value is None:
            found.append(None)
            continue
        hashable = not isinstance(value, list | dict)
        if hashable and value in seen:
            found.append(seen[value])
            continue
        try:
            found.append(convert(value))
        except (ValueError, TypeError, OverflowError) as error:
            first = first or (row, str(error))
            wrong += 1
            continue
        if hashable:
            seen[value] = found[-1]
    if first is not None:
        raise ColumnError(first[1], first[0], wrong - 1)
    return found


def _final(schema: Any) -> Callable[[Any], Any]:
    """Return what makes Arrow's value of the encoder's, times as counts of microseconds."""
    root, names = named(schema)
    found: Mapping[str, Any] = _besides_null(plain(root, names), names)
    logical = valid_logical(found) or ""
    if logical == "decimal":
        scale = found.get("scale", 0)
        return lambda number: Decimal(number).scaleb(-scale, _EXACT)
    if logical.endswith("-millis"):
        return lambda ticks: ticks * 1000
    return lambda value: value


def _besides_null(schema: Any, names: Mapping[str, Any]) -> Any:
    if not isinstance(schema, list):
        return schema
    branches = [plain(branch, names) for branch in schema]
    return next((one for one in branches if one["type"] != "null"), {"type": "null"})


def _series(array: pa.Array) -> pl.Series:
    return pl.Series(array)
