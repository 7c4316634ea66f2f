"""A file's values converted to an Avro type, column by column: exact, or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa

from pipeline.avro import arrow
from pipeline.avro.arrow import UTC_MICROS
from pipeline.avro.encode import named, plain
from pipeline.avro.logical_types import valid_logical, without_ignored
from pipeline.rows.convert import value_converter
from pipeline.rows.times import Moment, moment, rescaled

MICROSECOND = 10**6
_EXACT = Context(prec=1000)


class ColumnError(ValueError):
    """A value of a column does not fit. `row` counts from 0, `others` are like it."""

    def __init__(self, problem: str, row: int, others: int) -> None:
        super().__init__(f"{problem} ({others} more like it)" if others else problem)
        self.row = row


@dataclass(frozen=True)
class Converted:
    """Values of a column of `type`, times as counts of microseconds, dates of days; None among them."""

    values: list[Any]
    type: pa.DataType


def converted(values: Iterable[Any], schema: Any) -> Converted:
    """Return values of a file, None among them, as those of an Avro type; exact or not at all.

    Raises:
        ColumnError: a value does not fit.
        UnsupportedTypeError: the type has no Iceberg type.
    """
    kind = arrow_type(schema)
    convert, final = value_converter(schema), _final(schema)
    return Converted(_each(values, lambda value: final(convert(value))), kind)


def converted_instants(values: Iterable[Any]) -> Converted:
    """Return dates and times of a file, None among them, as instants in UTC to the microsecond.

    What says no zone is UTC.

    Raises:
        ColumnError: a value is no time, or finer than a microsecond.
    """

    def of(value: Any) -> int:
        found: Moment = moment(value)
        return rescaled(found.ticks, found.per_second, MICROSECOND)

    return Converted(_each(values, of), UTC_MICROS)


def arrow_type(schema: Any) -> pa.DataType:
    """Return the type that a table's column has of an Avro schema.

    Raises:
        UnsupportedTypeError: there is none.
    """
    record = {"type": "record", "name": "Column_", "fields": [{"name": "c", "type": schema}]}
    (field,) = arrow.fields(without_ignored(record))
    return field.type


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
