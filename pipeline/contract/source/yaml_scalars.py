"""Scalars of YAML 1.2 as plain values: its core schema, numbers with underscores, dates and times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9_]+)")
_FLOAT = re.compile(
    r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)"
    r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?"
    r"(?:[ \t]*(?:(Z)|([-+][0-9]{1,2})(?::([0-9]{2}))?))?"
)
_BASES = {"0b": 2, "0o": 8, "0x": 16}
_TAG = "tag:yaml.org,2002:"


class BadScalarError(ValueError):
    """The text looks like a value, or is tagged as one, and is none."""


def plain_scalar(text: str) -> Any:
    """Return what a text without quotes or tag is.

    Raises:
        BadScalarError: it looks like a number, date or time, and is none.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    for looks, read in ((_FLOAT, _float), (_INTEGER, _integer), (_DATE, _date), (_TIME, _time)):
        if looks.fullmatch(text):
            return _read(read, text)
    return text


def tagged_scalar(tag: str, text: str) -> Any:
    """Return what a text of a tag is.

    Raises:
        BadScalarError: it is none of that tag, or the tag is none of a plain value.
    """
    if tag not in _TAGGED:
        raise BadScalarError(f"no tag {tag}")
    return _read(_TAGGED[tag], text)


def _read(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except (ValueError, OverflowError) as error:
        raise BadScalarError(f"{error}, in {text[:50]!r}") from None


def _integer(text: str) -> int:
    sign, digits = (-1 if text[0] == "-" else 1), text.lstrip("+-").replace("_", "")
    base = _BASES.get(digits[:2], 10)
    return sign * int(digits[2:] if base != 10 else digits, base)


def _float(text: str) -> float:
    digits = text.replace("_", "").lower()
    if digits.endswith((".inf", ".nan")):
        digits = digits.replace(".", "")
    return float(digits)


def _date(text: str) -> date:
    return date.fromisoformat(text)


def _time(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("no time")
    *parts, fraction, utc, hours, minutes = found.groups()
    zone = None
    if utc is not None:
        zone = UTC
    elif hours is not None:
        ahead = timedelta(hours=abs(int(hours)), minutes=int(minutes or 0))
        zone = timezone(-ahead if hours[0] == "-" else ahead)
    # To the nearest microsecond.
    micros = (int(f"{fraction or ''}0000000"[:7]) + 5) // 10
    return datetime(*map(int, parts), tzinfo=zone) + timedelta(microseconds=micros)  # type: ignore[arg-type,misc]


def _word(text: str) -> bool | None:
    if text not in _WORDS:
        raise ValueError("neither true, false nor null")
    return _WORDS[text]


def _tagged_time(text: str) -> date:
    return _date(text) if _DATE.fullmatch(text) else _time(text)


_TAGGED: Mapping[str, Callable[[str], Any]] = {
    f"{_TAG}str": str,
    f"{_TAG}int": _integer,
    f"{_TAG}float": _float,
    f"{_TAG}bool": _word,
    f"{_TAG}null": _word,
    f"{_TAG}timestamp": _tagged_time,
}
