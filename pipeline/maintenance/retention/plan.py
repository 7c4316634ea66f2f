"""Which hours of events retention deletes, and in which commits: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.clock import HOUR

HOURS_AT_ONCE = 24
"""So many hours are deleted in one commit at most: the summary and the files that it names stay few."""


@dataclass(frozen=True)
class ExpiredHour:
    """An hour of events that is kept no longer: its rows, and the files that hold them and no others."""

    hour: datetime
    rows: int
    files: int
    bytes: int


@dataclass(frozen=True)
class RetentionCommit:
    """Hours that are deleted together; after it, none before `before` is whole."""

    hours: tuple[ExpiredHour, ...]
    before: datetime


@dataclass(frozen=True)
class RetentionPlan:
    """What retention would delete.

    Attributes:
        horizon: hours before it are kept no longer.
        hours: those of them that have rows, oldest first.
    """

    horizon: datetime
    hours: tuple[ExpiredHour, ...]

    @property
    def rows(self) -> int:
        """How many rows are deleted."""
        return sum(one.rows for one in self.hours)

    @property
    def files(self) -> int:
        """How many files hold them."""
        return sum(one.files for one in self.hours)

    @property
    def bytes(self) -> int:
        """The sizes of these files together."""
        return sum(one.bytes for one in self.hours)

    def commits(self) -> Iterator[RetentionCommit]:
        """Yield the commits that carry it out, in their order."""
        for begin in range(0, len(self.hours), HOURS_AT_ONCE):
            hours = self.hours[begin : begin + HOURS_AT_ONCE]
            last = begin + HOURS_AT_ONCE >= len(self.hours)
            yield RetentionCommit(hours, self.horizon if last else hours[-1].hour + HOUR)


def plan_retention(hours: Iterable[ExpiredHour], horizon: datetime) -> RetentionPlan:
    """Return what is to be deleted of `hours`: those that end at `horizon` or before."""
    found = (one for one in hours if one.hour + HOUR <= horizon)
    return RetentionPlan(horizon, tuple(sorted(found, key=lambda one: one.hour)))
