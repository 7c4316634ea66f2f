"""Durations and sizes as a contract writes them: `10s`, `72h`, `7d`; `1MB`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

DURATION_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SIZE_UNITS = {"B": 1, "KB": 1_024, "MB": 1_048_576, "GB": 1_073_741_824}

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_FLAGS = {
    **dict.fromkeys(("true", "yes", "on", "y"), True),
    **dict.fromkeys(("false", "no", "off", "n"), False),
}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


def parse_duration_ms(text: object) -> int:
    """Return the milliseconds of a duration such as `10s`, `1.5h` or `7d`.

    Raises:
        ValueError: it is not a number and one of the units ms, s, m, h, d.
    """
    return round(_scaled(text, DURATION_UNITS_MS, "a duration such as 10s, 5m, 72h or 7d"))


def parse_size(text: object) -> int:
    """Return the bytes of a size such as `512KB` or `1MB` (1,048,576 bytes).

    Raises:
        ValueError: it is not a number and one of the units B, KB, MB, GB.
    """
    return round(_scaled(text, SIZE_UNITS, "a size such as 512KB or 1MB"))


def parse_instant(value: object) -> datetime:
    """Return a date or time as YAML gives it, quoted or not; UTC where it names no zone.

    Raises:
        ValueError: it is neither a date nor an ISO 8601 time.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"an ISO 8601 time, not {value!r}") from None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError(f"an ISO 8601 time, not {value!r}")


def in_words(length: timedelta) -> str:
    """Return a length of time in the largest unit that it is a whole number of, e.g. `2 h`."""
    seconds = length.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def _scaled(text: object, units: dict[str, int], wanted: str) -> float:
    found = _QUANTITY.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or found[2] not in units:
        raise ValueError(f"{wanted}, not {text!r}")
    return float(found[1]) * units[found[2]]


def _seconds(text: object) -> float:
    return parse_duration_ms(text) / 1_000


def _number(value: object) -> object:
    """Return the number that a quoted one is; anything else as it is."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
        return value
    try:
        return int(value)
    except ValueError:
        return float(value)


def _flag(value: object) -> object:
    """Return what a word of YAML 1.1 for yes or no says; anything else as it is."""
    return _FLAGS.get(value.strip().lower(), value) if isinstance(value, str) else value


def _text(value: object) -> object:
    """Return what was written where YAML takes a text for something else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Whole = Annotated[int, BeforeValidator(_number)]
"""An integer, quoted or not."""

Real = Annotated[float, BeforeValidator(_number)]
"""A number, quoted or not."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""true or false, and the other words that YAML had for them, quoted or not."""

Text = Annotated[str, BeforeValidator(_text)]
"""A text, also one that YAML reads as a number or as true or false."""

Seconds = Annotated[float, BeforeValidator(_seconds)]
"""Written as a duration, held in seconds."""

Bytes = Annotated[int, BeforeValidator(parse_size)]
"""Written as a size, held in bytes."""


def number(value: object) -> float | None:
    """Return a number, quoted or not; None for anything else."""
    found = _number(value)
    return None if isinstance(found, bool) or not isinstance(found, int | float) else float(found)
