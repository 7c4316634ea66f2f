"""Arguments of business rules as values of the column that is judged."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa

INT64 = range(-(2**63), 2**63)
DIGITS = 38
"""Decimals are compared with this many."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ArgumentError(ValueError):
    """An argument is no value that the column could hold or be compared with; says what is."""


def value_of(raw: Any, type_: pa.DataType) -> Any:
    """Return `raw` as a value that a column of `type_` may hold.

    Raises:
        ArgumentError: it is of another kind, or no such value exists.
    """
    number = _number(raw, type_)
    if number is None:
        return _other(raw, type_)
    if isinstance(number, Decimal):
        _, low = _decimal_bounds(raw, number, type_)
        if low != number:
            places = type_.scale if pa.types.is_decimal(type_) else 0
            raise ArgumentError(f"a number of {places} decimal places at most, not {raw!r}")
        return low
    return number


def bound_of(raw: Any, type_: pa.DataType) -> tuple[Any, Any]:
    """Return the least value of the column that is no less than `raw`, and the greatest no greater.

    They differ where `raw` lies between two values: 0.5 between the integers 0 and 1.

    Raises:
        ArgumentError: as `value_of`.
    """
    number = _number(raw, type_)
    if isinstance(number, Decimal):
        return _decimal_bounds(raw, number, type_)
    value = _other(raw, type_) if number is None else number
    return value, value


def is_unicode(text: str) -> bool:
    """Return whether a text can be written as UTF-8: it has no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(raw: Any, type_: pa.DataType) -> Decimal | float | None:
    """Return the number for a column of numbers, exact unless the column itself is not; else None."""
    if pa.types.is_floating(type_):
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise ArgumentError(f"a number, not {raw!r}")
        return _float(raw, type_)
    if not (pa.types.is_integer(type_) or pa.types.is_decimal(type_)):
        return None
    as_text = isinstance(raw, str) and pa.types.is_decimal(type_)
    if isinstance(raw, bool) or not (isinstance(raw, int | float) or as_text):
        raise ArgumentError(f"a number, not {raw!r}")
    try:
        # A float is the number that was written, not the one that binary digits make of it.
        number = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    except InvalidOperation:
        raise ArgumentError(f"a number, not {raw!r}") from None
    if not number.is_finite():
        raise ArgumentError(f"a finite number, not {raw!r}")
    return number


def _float(raw: float, type_: pa.DataType) -> float:
    try:
        with np.errstate(over="ignore"):
            value = float(np.float32(raw)) if pa.types.is_float32(type_) else float(raw)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ArgumentError(f"a finite number that the column can hold, not {raw!r}")
    return value


def _decimal_bounds(raw: Any, number: Decimal, type_: pa.DataType) -> tuple[Decimal, Decimal]:
    scale = type_.scale if pa.types.is_decimal(type_) else 0
    step, exact = Decimal(1).scaleb(-scale), Context(prec=DIGITS)
    try:
        above = number.quantize(step, rounding=ROUND_CEILING, context=exact)
        below = number.quantize(step, rounding=ROUND_FLOOR, context=exact)
    except InvalidOperation:
        raise ArgumentError(
            f"a number of at most {DIGITS - scale} digits before its point, not {raw!r}"
        ) from None
    if pa.types.is_integer(type_) and not (int(above) in INT64 and int(below) in INT64):
        raise ArgumentError(f"a number of at most 64 bits, not {raw!r}")
    return above, below


def _other(raw: Any, type_: pa.DataType) -> Any:
    for is_of, read in _READERS:
        if is_of(type_):
            return read(raw, type_)
    raise ArgumentError(f"no argument: values of type {type_} are not judged")


def _text(raw: Any, _: pa.DataType) -> str:
    if not isinstance(raw, str):
        raise ArgumentError(f"a text, in quotes if it looks like something else; not {raw!r}")
    if not is_unicode(raw):
        raise ArgumentError(f"a text of Unicode characters, not {raw!r}")
    return raw


def _boolean(raw: Any, _: pa.DataType) -> bool:
    if not isinstance(raw, bool):
        raise ArgumentError(f"true or false, not {raw!r}")
    return raw


def _date(raw: Any, _: pa.DataType) -> date:
    found = _parsed(raw, date.fromisoformat)
    if isinstance(found, datetime) or not isinstance(found, date):
        raise ArgumentError(f"a date such as 2026-01-31, not {raw!r}")
    return found


def _time(raw: Any, _: pa.DataType) -> time:
    found = _parsed(raw, time.fromisoformat)
    if not isinstance(found, time) or found.tzinfo is not None:
        raise ArgumentError(f"a time of day such as 23:59:59, not {raw!r}")
    return found


def _instant(raw: Any, type_: pa.DataType) -> datetime:
    found = _parsed(raw, datetime.fromisoformat)
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time.min)
    if not isinstance(found, datetime):
        raise ArgumentError(f"an ISO 8601 time such as 2026-01-31T00:00:00Z, not {raw!r}")
    if type_.tz is None and found.tzinfo is not None:
        raise ArgumentError(f"a local time, without an offset from UTC; not {raw!r}")
    offset = found.utcoffset() or timedelta()
    try:
        instant = found.replace(tzinfo=UTC) - offset
    except OverflowError:
        raise ArgumentError(f"a time of the years 1 to 9999 in UTC, not {raw!r}") from None
    return instant if type_.tz is not None else instant.replace(tzinfo=None)


def _parsed(raw: Any, parse: Callable[[str], Any]) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        return parse(raw)
    except ValueError:
        return None


_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, pa.DataType], Any]], ...] = (
    (pa.types.is_string, _text),
    (pa.types.is_boolean, _boolean),
    (pa.types.is_date, _date),
    (pa.types.is_time, _time),
    (pa.types.is_timestamp, _instant),
)
