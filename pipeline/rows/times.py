"""Dates, times of day and instants from a file's texts and values: exact, or refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pipeline.rows.numbers import abbreviate, is_number, whole

DAY_S = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC = frozenset({"UTC", "Etc/UTC", "Z", "+00:00"})
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-?(?:[0-9]{2}-?[0-9]{2}|W[0-9]{2}(?:-?[0-9])?))"
    r"(?:[Tt ](?P<time>[0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2}(?:[.,](?P<fraction>[0-9]{1,30}))?)?)?)"
    r" ?(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_CLOCK = re.compile(
    r"([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,]([0-9]{1,30}))?)?",
)
_UNITS = {1: "seconds", 1000: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}


class Moment(NamedTuple):
    """A point in time: `ticks` of 1/`per_second` seconds since 1970. Without a zone it is a wall's."""

    ticks: int
    per_second: int
    zone: str | None = None


class Clock(NamedTuple):
    """A time of day: `ticks` of 1/`per_second` seconds since midnight."""

    ticks: int
    per_second: int


class Day(NamedTuple):
    """A day, counted from 1970-01-01."""

    ticks: int


def parse_moment(text: str) -> Moment:
    """Return the date or time that a text in ISO 8601 says, with all digits of its fraction.

    Raises:
        ValueError: it says none.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(f"{abbreviate(text)} is not an ISO 8601 time")
    fraction = (found["fraction"] or "").rstrip("0")
    clock = re.split("[.,]", found["time"] or "00")[0]
    zone = (found["zone"] or "").upper()
    try:
        at = datetime.fromisoformat(f"{found['day']}T{clock}{zone}")
    except ValueError as error:
        raise ValueError(f"{abbreviate(text)} is not a time: {error}") from None
    offset = at.utcoffset()
    aware = at if offset is not None else at.replace(tzinfo=UTC)
    per_second = 10 ** len(fraction)
    seconds = (aware - EPOCH) // timedelta(seconds=1)
    name = None if offset is None else "UTC" if not offset else str(at.tzinfo)
    return Moment(seconds * per_second + int(fraction or 0), per_second, name)


def moment(value: Any) -> Moment:
    """Return the point in time that a text, or a value of a file that has types, says.

    Raises:
        ValueError, TypeError: it says none.
    """
    if isinstance(value, Moment):
        return value
    if isinstance(value, Day):
        return Moment(value.ticks * DAY_S, 1)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        zone = None if value.tzinfo is None else "+" if value.utcoffset() else "UTC"
        return Moment((aware - EPOCH) // timedelta(microseconds=1), 10**6, zone)
    if isinstance(value, date):
        return Moment((value - EPOCH.date()).days * DAY_S, 1)
    if isinstance(value, str):
        return parse_moment(value.strip())
    raise TypeError(f"{abbreviate(value)} is not a time")


def instant(value: Any, per_second: int, *, local: bool = False) -> int:
    """Return 1/`per_second` seconds since 1970; numbers are that already. Without a zone it is UTC.

    `local`: it is a wall's time, so that no other zone than UTC may be said.

    Raises:
        ValueError, TypeError, OverflowError: it is no time, or finer than the unit.
    """
    if _is_number(value):
        return whole(value, 64)
    found = moment(value)
    if local and found.zone is not None and found.zone not in _UTC:
        raise ValueError(f"{_describe(value)} is of the zone {found.zone}, and the field of none")
    return whole(rescaled(found.ticks, found.per_second, per_second), 64)


def day(value: Any) -> int:
    """Return days since 1970-01-01; numbers of up to seven digits are that already.

    Raises:
        ValueError, TypeError, OverflowError: it is no date, or has a time of day.
    """
    if isinstance(value, Day):
        return value.ticks
    if _is_number(value) and not (isinstance(value, str) and re.fullmatch("[0-9]{8}", value)):
        return whole(value, 32)
    found = moment(value)
    days, rest = divmod(found.ticks, DAY_S * found.per_second)
    if rest:
        raise ValueError(f"{_describe(value)} has a time of day, and the field none")
    return days


def clock(value: Any, per_second: int) -> int:
    """Return 1/`per_second` seconds since midnight; numbers are that already.

    Raises:
        ValueError, TypeError, OverflowError: it is no time of day, or finer than the unit.
    """
    if isinstance(value, time) and value.tzinfo is None:
        value = Clock(
            ((value.hour * 60 + value.minute) * 60 + value.second) * 10**6 + value.microsecond,
            10**6,
        )
    if _is_number(value):
        count = whole(value, 64)
    elif isinstance(value, Clock):
        count = rescaled(value.ticks, value.per_second, per_second)
    elif isinstance(value, str) and (found := _CLOCK.fullmatch(value.strip())):
        hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
        if hours > 23 or minutes > 59 or seconds > 59:
            raise ValueError(f"{abbreviate(value)} is not a time of day")
        fraction = (found[4] or "").rstrip("0")
        finer = 10 ** len(fraction)
        count = ((hours * 60 + minutes) * 60 + seconds) * finer + int(fraction or 0)
        count = rescaled(count, finer, per_second)
    else:
        raise TypeError(f"{abbreviate(value)} is not a time of day")
    if not 0 <= count < DAY_S * per_second:
        raise OverflowError(f"{_describe(value)} is not within a day")
    return count


def rescaled(ticks: int, old: int, new: int) -> int:
    """Return `ticks` of 1/`old` seconds in 1/`new` seconds.

    Raises:
        ValueError: that is no whole number.
    """
    found, rest = divmod(ticks * new, old)
    if rest:
        raise ValueError(f"finer than {_UNITS.get(new, new)}, which are all the field holds")
    return found


def iso(value: Moment | Clock | Day) -> str:
    """Return a time of a file that has types as a text in ISO 8601.

    Raises:
        OverflowError: its year is not one of 1 to 9999.
    """
    if isinstance(value, Day):
        return (EPOCH.date() + timedelta(days=value.ticks)).isoformat()
    seconds, rest = divmod(value.ticks, value.per_second)
    digits = len(str(value.per_second)) - 1
    fraction = f".{rest:0{digits}d}" if rest else ""
    if isinstance(value, Clock):
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"
    at = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    return f"{at.isoformat()}{fraction}{'+00:00' if value.zone else ''}"


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return is_number(value.strip())
    return isinstance(value, int | float | Decimal)


def _describe(value: Any) -> str:
    return iso(value) if isinstance(value, (Moment, Clock, Day)) else abbreviate(value)
