"""Where builds of ranges die: a pure function of a seed and of the failpoints that there are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.crash.scenario import Place

VISITS = {
    # A range of which an hour fails is staged once more without it.
    "hour.before_stage": 4,
    "hour.after_stage": 4,
    # Only a feature table has them.
    "hour.after_stage_current": 1,
    "hour.after_publish_current": 1,
}
"""How often a build of two tables, of each of which one hour fails, comes to a failpoint; to others twice."""
RECOVERED = "hour.after_release"
"""What a build comes to that has anything to record, its own or what another was killed over."""


@dataclass(frozen=True)
class RangeKill:
    """A build that dies.

    Attributes:
        twice: the build that is to make it good dies too, if it has anything to record.
        persists: the hour that fails does so again in the build that lives.
    """

    at: Place
    twice: bool
    persists: bool


def draw_range_kills(seed: int, count: int, failpoints: Sequence[str]) -> tuple[RangeKill, ...]:
    """Return `count` kills; every visit of every failpoint is one before any is one again."""
    chance = random.Random(f"ranges/{seed}")  # noqa: S311 - repeatable, not secret
    every = [
        Place(name, visit)
        for name in sorted(failpoints)
        for visit in range(1, VISITS.get(name, 2) + 1)
    ]
    places: list[Place] = []
    while len(places) < count:
        places += chance.sample(every, len(every))
    return tuple(
        RangeKill(place, twice=chance.random() < 0.3, persists=chance.random() < 0.5)
        for place in places[:count]
    )
