"""How far a build of many hours has come, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.clock import Clock, utc_now

EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class BuildProgress:
    """So many of a plan's builds are done, an hour of a table each.

    Attributes:
        began: when the first was begun.
        now: when `done` of them were done.
    """

    done: int
    total: int
    began: datetime
    now: datetime

    @property
    def per_minute(self) -> float | None:
        """How many were done in a minute; None as long as nothing tells."""
        minutes = (self.now - self.began) / timedelta(minutes=1)
        return self.done / minutes if self.done and minutes > 0 else None

    @property
    def remaining(self) -> timedelta | None:
        """How long the rest takes if it goes on like this; None as long as nothing tells."""
        rate = self.per_minute
        return None if rate is None else timedelta(minutes=(self.total - self.done) / rate)

    def __str__(self) -> str:
        """Say it in a line."""
        rate, remaining = self.per_minute, self.remaining
        text = f"{self.done:,} of {self.total:,} hours"
        if rate is None or remaining is None:
            return text
        return f"{text}, {rate:,.0f} a minute, {_about(remaining)} left"


class ProgressReporter:
    """Says how far a build has come, every half minute at most. For one thread."""

    def __init__(self, total: int, say: Callable[[str], None], clock: Clock = utc_now) -> None:
        """Begin a build of `total` hours of tables."""
        self._total = total
        self._say = say
        self._clock = clock
        self._began = self._said = clock()
        self._done = 0

    def one_done(self) -> None:
        """Note that one more is done; say how far the build has come if it has not been said for long."""
        self._done += 1
        now = self._clock()
        if now - self._said >= EVERY and self._done < self._total:
            self._said = now
            self._say(str(BuildProgress(self._done, self._total, self._began, now)))


def _about(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    if seconds < 120:
        return f"about {seconds} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 120 else f"about {minutes / 60:.1f} h"
