"""Bytes in hexadecimal, with the one marked at which reading stopped."""

from __future__ import annotations

WIDTH = 16
AROUND = 64
"""So many bytes are shown before and after the marked one, whole lines of them."""


def dump(value: bytes, at: int | None) -> list[str]:
    """Return lines of offset, hexadecimal and ASCII, around byte `at`, which stands in brackets.

    An `at` past the end marks the end, where bytes are missing. With None it is the beginning, unmarked.
    """
    at = None if at is None else min(at, len(value))
    middle = at or 0
    begin = max(0, middle - AROUND) // WIDTH * WIDTH
    end = min(len(value), (middle + AROUND) // WIDTH * WIDTH + WIDTH)
    # One cell more where the end is marked.
    places = range(begin, max(end, begin) + (at == len(value) and end == len(value)))
    lines = [f"{begin:,} bytes before"] if begin else []
    lines += [
        _line(value, at, places[first : first + WIDTH]) for first in range(0, len(places), WIDTH)
    ]
    if len(value) > end:
        lines.append(f"{len(value) - end:,} bytes after")
    return lines


def _line(value: bytes, at: int | None, places: range) -> str:
    cells = "".join(_cell(value, at, place) for place in places)
    text = "".join(chr(b) if 0x20 <= b < 0x7F else "." for b in value[places[0] : places[-1] + 1])
    return f"{places[0]:08x} {cells:<{4 * WIDTH}} {text}"


def _cell(value: bytes, at: int | None, place: int) -> str:
    shown = f"{value[place]:02x}" if place < len(value) else "--"
    return f"[{shown}]" if place == at else f" {shown} "
