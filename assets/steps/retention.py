"""What Dagster need not remember any longer: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Retention:
    """How long Dagster remembers.

    Attributes:
        runs: runs that ended well, and events that no run logged.
        failures: runs that did not.
        hours: runs that were to publish hours, well or not.
        batch: most runs that are deleted at once.
    """

    runs: timedelta = timedelta(days=7)
    failures: timedelta = timedelta(days=30)
    hours: timedelta = timedelta(days=90)
    batch: int = 500


DEFAULT_RETENTION = Retention()


@dataclass(frozen=True)
class EndedRun:
    """A run that has ended; `builds_hours` tells those of hourly jobs."""

    run_id: str
    ended_at: datetime
    succeeded: bool
    builds_hours: bool


def forgettable_runs(
    runs: Iterable[EndedRun],
    newest: Collection[str],
    now: datetime,
    retention: Retention = DEFAULT_RETENTION,
) -> tuple[str, ...]:
    """Return the runs to delete, oldest first, `batch` at most.

    Never one of `newest`, those that logged what is the newest of some asset.
    """
    old = [
        run
        for run in runs
        if run.run_id not in newest and run.ended_at < now - _kept(run, retention)
    ]
    old.sort(key=lambda run: (run.ended_at, run.run_id))
    return tuple(run.run_id for run in old[: retention.batch])


def _kept(run: EndedRun, retention: Retention) -> timedelta:
    if run.builds_hours:
        return retention.hours
    return retention.runs if run.succeeded else retention.failures
