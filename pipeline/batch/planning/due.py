"""Which closed hours to build now: together where they adjoin, later where they have just failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.clock import HOUR

MOST_HOURS = 24
"""Hours that one run builds at most, so that no run is too long to watch."""
FIRST_PAUSE = timedelta(minutes=5)
"""How long an hour waits after its first fruitless run; each time twice as long.

An audit that failed will mostly fail again, and an hour is not urgent.
"""
MOST_ATTEMPTS = 5
"""After as many fruitless runs an hour waits for somebody to act."""


@dataclass(frozen=True)
class HourRange:
    """Adjoining hours, both ends included."""

    first: datetime
    last: datetime

    @property
    def hours(self) -> int:
        """How many."""
        return round((self.last - self.first) / HOUR) + 1

    def holds(self, hour: datetime) -> bool:
        """Whether `hour` is one of them."""
        return self.first <= hour <= self.last


@dataclass(frozen=True)
class Attempt:
    """A run that has ended, over a range of hours. `started_at` None: not known."""

    hours: HourRange
    ended_at: datetime
    started_at: datetime | None = None

    def was_fruitless(self, published_at: datetime | None) -> bool:
        """Whether it began after its hours were published last, if ever, and they are due still."""
        return published_at is None or self.started_at is None or self.started_at > published_at


@dataclass(frozen=True)
class Due:
    """What to build.

    Attributes:
        ranges: to build now, oldest first; each with the number of the attempt it is, from 1.
        waiting: hours that failed a short while ago.
        given_up: hours that failed `MOST_ATTEMPTS` times.
    """

    ranges: Mapping[HourRange, int]
    waiting: tuple[datetime, ...]
    given_up: tuple[datetime, ...]


def due(
    hours: Iterable[datetime],
    attempts: Iterable[Attempt],
    now: datetime,
    published: Mapping[datetime, datetime] | None = None,
) -> Due:
    """Plan the building of `hours`, all closed and due, after `attempts`.

    An hour that has been tried in vain waits, longer each time. Hours of one range were tried equally
    often. `published` says when hours that are due again were published last: earlier attempts were
    not in vain.
    """
    tried = tuple(attempts)
    ready: dict[datetime, int] = {}
    waiting: list[datetime] = []
    given_up: list[datetime] = []
    for hour in sorted(set(hours)):
        last = (published or {}).get(hour)
        ends = [
            attempt.ended_at
            for attempt in tried
            if attempt.hours.holds(hour) and attempt.was_fruitless(last)
        ]
        if len(ends) >= MOST_ATTEMPTS:
            given_up.append(hour)
        elif ends and now < max(ends) + FIRST_PAUSE * (1 << (len(ends) - 1)):
            waiting.append(hour)
        else:
            ready[hour] = len(ends) + 1
    return Due(_ranges(ready), tuple(waiting), tuple(given_up))


def _ranges(ready: Mapping[datetime, int]) -> dict[HourRange, int]:
    ranges: dict[HourRange, int] = {}
    open_range: HourRange | None = None
    for hour, attempt in ready.items():
        if (
            open_range is not None
            and hour == open_range.last + HOUR
            and ranges[open_range] == attempt
            and open_range.hours < MOST_HOURS
        ):
            del ranges[open_range]
            open_range = HourRange(open_range.first, hour)
        else:
            open_range = HourRange(hour, hour)
        ranges[open_range] = attempt
    return ranges
