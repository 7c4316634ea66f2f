"""Values of rows, for people and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any


def plain(value: object) -> Any:
    """Return a value as JSON has it: times in ISO 8601, bytes as hexadecimal text, decimals as text.

    So are floats that JSON has no number for.
    """
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | bool | int | float | None) else str(value)


def printable(text: str) -> str:
    """Return a text as it may stand on a terminal: what would steer that is escaped, and so are line ends."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def in_a_line(value: object) -> str:
    """Return a value as people read it: a text without quotes, what has parts as JSON has it."""
    shown = plain(value)
    if isinstance(shown, str):
        return shown
    return "" if shown is None else json.dumps(shown, ensure_ascii=False)
