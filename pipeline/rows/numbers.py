"""Numbers from a file's texts and values: exact, or refused."""

from __future__ import annotations

import math
import re
import struct
from decimal import Decimal, InvalidOperation
from typing import Any

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = {
    "NaN": math.nan,
    "Infinity": math.inf,
    "+Infinity": math.inf,
    "-Infinity": -math.inf,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
}
MOST_DIGITS = 1000
"""A number of more digits fits no type."""


class NumberText(str):
    """A number of a JSON text, as it stands there."""

    __slots__ = ()


def abbreviate(value: Any) -> str:
    """Return a value for a message, cut where it is long."""
    if isinstance(value, str):
        value = value if len(value) <= 50 else f"{value[:50]}..."
        value = str(value)
    text = repr(value[:50] if isinstance(value, bytes) else value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def is_number(text: str) -> bool:
    """Return whether a text is a decimal number, with or without an exponent."""
    return _NUMBER.fullmatch(text) is not None


def exact(value: Any) -> Decimal:
    """Return the very number that a text or value is; a float is the shortest decimal that means it.

    Raises:
        ValueError, TypeError: it is no finite number, or has more than `MOST_DIGITS` digits.
    """
    if isinstance(value, str):
        text = value.strip()
        if not is_number(text):
            raise ValueError(f"{abbreviate(value)} is not a number")
        if len(text) > MOST_DIGITS:
            raise ValueError(f"{abbreviate(value)} has too many digits")
        try:
            return Decimal(text)
        except InvalidOperation:
            raise OverflowError(f"{abbreviate(value)} has too large an exponent") from None
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, Decimal):
        raise TypeError(f"{abbreviate(value)} is not a number")
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    return value


def unscaled(number: Decimal, scale: int) -> int:
    """Return `number` times 10 to the power of `scale`.

    Raises:
        ValueError, OverflowError: that is no whole number, or one of more than `MOST_DIGITS` digits.
    """
    if not number:
        return 0
    if number.adjusted() + scale > MOST_DIGITS:
        raise OverflowError(f"{abbreviate(str(number))} is too large")
    sign, digits, exponent = number.as_tuple()
    shift = int(exponent) + scale
    cut = max(0, -shift)
    if any(digits[max(0, len(digits) - cut) :] if cut else ()):
        raise ValueError(f"{abbreviate(str(number))} has more than {scale} digits after the point")
    kept = digits[: len(digits) - cut] if cut else digits
    size: int = int("".join(map(str, kept)) or "0") * 10 ** max(0, shift)
    return -size if sign else size


def whole(value: Any, bits: int) -> int:
    """Return the whole number that a value is, of a signed type of `bits` bits.

    Raises:
        ValueError, TypeError, OverflowError: it is none, or too large.
    """
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        number = int(value)
    elif type(value) is int:
        number = value
    else:
        found = exact(value)
        try:
            number = unscaled(found, 0)
        except ValueError:
            raise ValueError(f"{abbreviate(value)} is not a whole number") from None
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise OverflowError(f"{abbreviate(value)} is too large")
    return number


def fixed_point(value: Any, precision: int, scale: int) -> int:
    """Return the unscaled number of a decimal of `precision` digits, `scale` of them after the point.

    Raises:
        ValueError, TypeError, OverflowError: it is none, or a digit would be lost.
    """
    number = unscaled(exact(value), scale)
    if abs(number) >= 10**precision:
        raise OverflowError(f"{abbreviate(value)} has more than {precision} digits")
    return number


def double(value: Any) -> float:
    """Return the nearest double. NaN and infinities are taken by name, never as what is too large.

    Raises:
        ValueError, TypeError, OverflowError: it is no number, or too large for any double.
    """
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        text = value.strip()
        if text in _NOT_FINITE:
            return _NOT_FINITE[text]
        if not is_number(text):
            raise ValueError(f"{abbreviate(value)} is not a number")
        number = float(text)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = float(value)
    else:
        raise TypeError(f"{abbreviate(value)} is not a number")
    if math.isinf(number):
        raise OverflowError(f"{abbreviate(value)} is too large")
    return number


def single(value: Any) -> float:
    """Return the nearest number that 32 bits hold.

    Raises:
        ValueError, TypeError, OverflowError: it is no number, or too large for them.
    """
    number = double(value)
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        raise OverflowError(f"{abbreviate(value)} is too large") from None
