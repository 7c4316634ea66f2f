"""Columns of texts and of a file's values, as Polars series of an Avro type, or of what they show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.rows.converted import Converted, converted, converted_instants

_WHOLE = r"^(?:0|-?[1-9][0-9]*)$"
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?$"


def typed(values: Iterable[Any], schema: Any) -> pl.Series:
    """Return values of a file, None among them, as a column of an Avro type; exact or not at all.

    Raises:
        ColumnError: a value does not fit.
        UnsupportedTypeError: the type has no Iceberg type.
    """
    return series(converted(values, schema))


def instants(values: Iterable[Any]) -> pl.Series:
    """Return dates and times of a file, None among them, as instants in UTC to the microsecond.

    What says no zone is UTC.

    Raises:
        ColumnError: a value is no time, or finer than a microsecond.
    """
    return series(converted_instants(values))


def series(column: Converted) -> pl.Series:
    """Return converted values as a series."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return pl.Series(pa.array(column.values, pa.int64()).cast(kind))
    if pa.types.is_date(kind):
        return pl.Series(pa.array(column.values, pa.int32()).cast(kind))
    return pl.Series(pa.array(column.values, kind))


def infer_type(values: pl.Series) -> pl.Series:
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


def _shortest(text: str) -> bool:
    number = repr(float(text))
    return number == text or number == f"{text}.0"
