"""When to start again after failures: soon, and never so late that the freshness objective is given up.

Pure functions over how the last runs ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
"""Of a product with no freshness objective."""
REPEATED = 3
"""As many failures of one kind in a row are told to somebody."""


@dataclass(frozen=True)
class RunEnd:
    """How one run ended.

    Attributes:
        failed: it ended by an error, or its process was gone.
        progressed: it committed something before.
        kind: the error's name, or what else tells one kind of failure from another.
        detail: what the error says, for people.
    """

    run_id: str
    ended_at: datetime
    failed: bool
    progressed: bool = False
    kind: str = ""
    detail: str = ""


def failures_in_a_row(ends: Iterable[RunEnd]) -> tuple[RunEnd, ...]:
    """Return the failures since the last run that ended well or committed something; `ends` newest first."""
    found: list[RunEnd] = []
    for end in ends:
        if not end.failed or end.progressed:
            break
        found.append(end)
    return tuple(found)


def repeated_failure(row: tuple[RunEnd, ...]) -> RunEnd | None:
    """Return the newest of `row`, newest first, if it and the `REPEATED` - 1 before are of one kind."""
    newest = row[:REPEATED]
    one_kind = len(newest) == REPEATED and len({end.kind for end in newest}) == 1
    return newest[0] if one_kind else None


def longest_pause(objective: timedelta | None) -> timedelta:
    """Return the longest pause under a freshness objective: half of it, but no less than the first pause."""
    if objective is None:
        return LONGEST_PAUSE
    return min(max(objective / 2, FIRST_PAUSE), LONGEST_PAUSE)


def pause_after(failures: int, objective: timedelta | None) -> timedelta:
    """Return how long to wait after the last of `failures` failures in a row; none after no failure.

    It doubles with each, up to `longest_pause`.
    """
    if failures <= 0:
        return timedelta(0)
    return min(FIRST_PAUSE * (1 << min(failures - 1, 10)), longest_pause(objective))


def pause_left(row: tuple[RunEnd, ...], objective: timedelta | None, now: datetime) -> timedelta:
    """Return how much of the pause after `row`, newest first, is left at `now`.

    No more than the whole pause, also where the clock was set back since.
    """
    pause = pause_after(len(row), objective)
    if not row:
        return pause
    return min(max(row[0].ended_at + pause - now, timedelta(0)), pause)
