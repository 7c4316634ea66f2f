"""When a table is to be maintained, told from figures that its metadata states. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.maintenance.plan import MaintenancePolicy

PAUSE = timedelta(minutes=5)
PAUSE_AFTER_FAILURE = timedelta(hours=1)


class Step(StrEnum):
    """What may be due of a table, in the order in which it is done."""

    RETENTION = "retention"
    COMPACT = "compact"
    EXPIRE = "expire"
    SWEEP = "sweep"


@dataclass(frozen=True)
class TableFacts:
    """What is known of a table without opening any of its manifests.

    Attributes:
        snapshots: how many its metadata lists.
        expirable: how many of them may go now.
        files: main's data files.
        commits: how often the table was changed since it was made.
        files_left: how many the last compaction left; None if none is known.
        swept_at: when its folder was last looked through; None if that is not known.
        outdated_tags: tags that are older than they may become.
        oldest_hour: the oldest hour that has rows, where rows are deleted by their age.
        retention_at: when rows were last deleted; None if never.
    """

    table: str
    snapshots: int
    expirable: int
    files: int
    commits: int = 0
    files_left: int | None = None
    swept_at: datetime | None = None
    outdated_tags: int = 0
    oldest_hour: datetime | None = None
    retention_at: datetime | None = None


@dataclass(frozen=True)
class DueStep:
    """One step that is due of one table, and why."""

    table: str
    step: Step
    reason: str


def plan_due(
    facts: Iterable[TableFacts], policy: MaintenancePolicy, now: datetime
) -> tuple[DueStep, ...]:
    """Return what is due, table by table, in the order in which it is to be done."""
    return tuple(due for one in facts for due in _due(one, policy, now))


def _due(facts: TableFacts, policy: MaintenancePolicy, now: datetime) -> Iterator[DueStep]:
    horizon, oldest = policy.horizon(now), facts.oldest_hour
    if (
        horizon is not None
        and oldest is not None
        and oldest < horizon
        and (facts.retention_at is None or now - facts.retention_at >= policy.retention_every)
    ):
        reason = f"rows from {oldest:%Y-%m-%dT%H} on, kept are those from {horizon:%Y-%m-%dT%H} on"
        yield DueStep(facts.table, Step.RETENTION, reason)
    grown = facts.files - (facts.files_left or 0)
    # Fewer files than were left: partitions were replaced, and what is left says nothing.
    if facts.files_left is not None and grown < 0:
        grown = facts.files
    if grown >= policy.due_files:
        since = "" if facts.files_left is None else f" more than the {facts.files_left:,} left last"
        yield DueStep(facts.table, Step.COMPACT, f"{grown:,} data files{since}")
    if facts.expirable >= policy.due_snapshots:
        reason = f"{facts.expirable:,} of {facts.snapshots:,} snapshots may go"
        yield DueStep(facts.table, Step.EXPIRE, reason)
    elif facts.outdated_tags:
        yield DueStep(facts.table, Step.EXPIRE, f"{facts.outdated_tags:,} tags are outdated")
    if facts.swept_at is None:
        if facts.commits >= policy.due_commits:
            reason = f"never looked for orphan files in {facts.commits:,} commits"
            yield DueStep(facts.table, Step.SWEEP, reason)
    elif now - facts.swept_at >= policy.sweep_every:
        hours = (now - facts.swept_at) / timedelta(hours=1)
        yield DueStep(facts.table, Step.SWEEP, f"looked for orphan files {hours:,.0f} h ago")


def pause_after(*, failed: bool) -> timedelta:
    """Return how long to wait after a run before the next: starting one costs seconds of processor time."""
    return PAUSE_AFTER_FAILURE if failed else PAUSE
