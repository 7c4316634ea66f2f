"""Rows that are expected against rows that came out, in no order. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.batch.unit_tests.values import same


@dataclass(frozen=True)
class Differences:
    """What does not agree.

    Attributes:
        missing: which of the expected rows did not come out.
        unexpected: which of the rows that came out nothing expects.
    """

    missing: tuple[int, ...] = ()
    unexpected: tuple[int, ...] = ()


def compare(
    expected: Sequence[Mapping[str, Any]],
    found: Sequence[Mapping[str, Any]],
    tolerance: float = 0.0,
) -> Differences:
    """Return the rows without a partner, where as many have one as can.

    A row has a partner that is equal in each column that the expected one of the two names. No row has two.
    """
    fits = [
        [
            place
            for place, row in enumerate(found)
            if all(same(value, row[column], tolerance) for column, value in wanted.items())
        ]
        for wanted in expected
    ]
    partners: dict[int, int] = {}
    missing = tuple(
        number for number in range(len(expected)) if not _placed(number, fits, partners, set())
    )
    return Differences(missing, tuple(sorted(set(range(len(found))) - set(partners))))


def _placed(
    number: int, fits: Sequence[Sequence[int]], partners: dict[int, int], asked: set[int]
) -> bool:
    """Find a partner for an expected row, others moving on to another one where that helps."""
    free = next((place for place in fits[number] if place not in partners), None)
    if free is not None:
        partners[free] = number
        return True
    for place in fits[number]:
        if place not in asked:
            asked.add(place)
            if _placed(partners[place], fits, partners, asked):
                partners[place] = number
                return True
    return False
