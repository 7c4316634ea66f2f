"""What a soak is asked for, and what it measures of an hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from benchmarks.soak.sizes import Sizes

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
TIMED = ("hour_closed", "watermark", "ledger", "hours", "scan", "maintenance")
"""What is timed beside each commit: once an hour, or in some hours."""


@dataclass(frozen=True)
class Order:
    """How many commits of how many rows, over how many hours.

    Attributes:
        late_every: one commit of so many has a late row.
        look_every: in one hour of so many somebody looks: the watermark's tick, commands and a scan.
        publish_every: hours that closed are looked for and published once in so many.
    """

    commits: int = 100_000
    hours: int = 8_760
    rows: int = 20
    late_every: int = 100
    look_every: int = 10
    publish_every: int = 4
    seed: int = 1

    def commits_until(self, hour: int) -> int:
        """Return how many commits come before an hour."""
        return self.commits * hour // self.hours


class Took(NamedTuple):
    """Seconds that something took: by the clock, and of CPU, which other work on the machine leaves alone."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Sample:
    """One hour: what each of its commits took, and what is timed, and what there is after it.

    Attributes:
        timed: not all of `TIMED` in every hour.
        balanced: whether the ledger balanced; True in hours in which nobody looked.
        looked_at: hours that the tick looked at; 0 in hours without one.
        built: hours that were due in it, of all tables.
        sizes: what the tables take; None in hours in which nobody counted.
    """

    hour: int
    commits: tuple[Took, ...]
    timed: dict[str, Took]
    looked_at: int
    built: int
    balanced: bool
    sizes: Sizes | None
