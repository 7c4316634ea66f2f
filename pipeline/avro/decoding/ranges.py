"""Which numbers stand for times that every reader of a table knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.avro.schema import logical_of

INT = (-(2**31), 2**31 - 1)
LONG = (-(2**63), 2**63 - 1)
# What Python's datetime holds, so that every reader agrees: years 1 to 9999.
_MICROS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
_MILLIS = (_MICROS[0] // 1000, _MICROS[1] // 1000)


@dataclass(frozen=True)
class Unit:
    """A logical type's numbers.

    Attributes:
        factor: of its unit in the column's.
        low, high: the first and last number, of its own unit, that a column takes.
        limit: what lies outside, in words.
    """

    factor: int
    low: int
    high: int
    limit: str = "outside years 1 to 9999"


RANGES: Mapping[str | None, Unit] = {
    "timestamp-micros": Unit(1, *_MICROS),
    "timestamp-millis": Unit(1000, *_MILLIS),
    "local-timestamp-micros": Unit(1, *_MICROS),
    "local-timestamp-millis": Unit(1000, *_MILLIS),
    "time-micros": Unit(1, 0, 86_399_999_999, "of no time of a day"),
    "time-millis": Unit(1000, 0, 86_399_999, "of no time of a day"),
    "date": Unit(1, -719_162, 2_932_896),
}
"""Logical type -> its numbers."""


def unit_of(writer: Any, reader: Any) -> str:
    """Return the logical type whose unit the numbers have that are read as `reader`'s, one of `RANGES`.

    The writer's own, where both mean the same kind of time; or else the reader's, as Avro reads it.
    """
    wrote, reads = logical_of(writer), logical_of(reader)
    if wrote in RANGES and wrote and reads and _kind(wrote) == _kind(reads):
        return wrote
    return str(reads)


def _kind(logical: str) -> str:
    return logical.rpartition("-")[0] or logical
