"""When a table is to be maintained, told from figures that its metadata states. Pure."""

from __future__ import annotations

from collections.abc import Iterable
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


@dataclass(frozen=True)
class SkippedStep:
    """One step that is not due of one table, and why."""

    table: str
    step: Step
    reason: str


def plan_due(
    facts: Iterable[TableFacts], policy: MaintenancePolicy, now: datetime
) -> tuple[DueStep, ...]:
    """Return what is due, table by table, in the order in which it is to be done."""
    judged = (step for one in facts for step in judge(one, policy, now))
    return tuple(one for one in judged if isinstance(one, DueStep))


def judge(
    facts: TableFacts, policy: MaintenancePolicy, now: datetime
) -> tuple[DueStep | SkippedStep, ...]:
    """Return of each step of a table whether it is due, and why or why not, in their order."""
    found = {
        Step.RETENTION: _retention(facts, policy, now),
        Step.COMPACT: _compact(facts, policy),
        Step.EXPIRE: _expire(facts, policy),
        Step.SWEEP: _sweep(facts, policy, now),
    }
    return tuple(
        (DueStep if is_due else SkippedStep)(facts.table, step, reason)
        for step, (is_due, reason) in found.items()
    )


def _retention(facts: TableFacts, policy: MaintenancePolicy, now: datetime) -> tuple[bool, str]:
    horizon, oldest = policy.horizon(now), facts.oldest_hour
    if horizon is None:
        return False, "its rows are kept for ever"
    if oldest is None or oldest >= horizon:
        return False, f"it has no rows from before {horizon:%Y-%m-%dT%H}"
    if facts.retention_at is not None and now - facts.retention_at < policy.retention_every:
        return (
            False,
            f"done {_hours(now - facts.retention_at)}; due every {_hours(policy.retention_every, '')}",
        )
    return True, f"rows from {oldest:%Y-%m-%dT%H} on, kept are those from {horizon:%Y-%m-%dT%H} on"


def _compact(facts: TableFacts, policy: MaintenancePolicy) -> tuple[bool, str]:
    grown = facts.files - (facts.files_left or 0)
    # Fewer files than were left: partitions were replaced, and what is left says nothing.
    if facts.files_left is not None and grown < 0:
        grown = facts.files
    since = "" if facts.files_left is None else f" more than the {facts.files_left:,} left last"
    is_due = grown >= policy.due_files
    return is_due, f"{grown:,} data files{since}{'' if is_due else _from(policy.due_files)}"


def _expire(facts: TableFacts, policy: MaintenancePolicy) -> tuple[bool, str]:
    may_go = f"{facts.expirable:,} of {facts.snapshots:,} snapshots may go"
    if facts.expirable >= policy.due_snapshots:
        return True, may_go
    if facts.outdated_tags:
        return True, f"{facts.outdated_tags:,} tags are outdated"
    return False, f"{may_go}{_from(policy.due_snapshots)}"


def _sweep(facts: TableFacts, policy: MaintenancePolicy, now: datetime) -> tuple[bool, str]:
    if facts.swept_at is None:
        is_due = facts.commits >= policy.due_commits
        never = f"never looked for orphan files in {facts.commits:,} commits"
        return is_due, f"{never}{'' if is_due else _from(policy.due_commits)}"
    is_due = now - facts.swept_at >= policy.sweep_every
    looked = f"looked for orphan files {_hours(now - facts.swept_at)}"
    return is_due, looked if is_due else f"{looked}; due every {_hours(policy.sweep_every, '')}"


def _from(count: int) -> str:
    return f"; due from {count:,} on"


def _hours(length: timedelta, ago: str = " ago") -> str:
    return f"{length / timedelta(hours=1):,.0f} h{ago}"


def pause_after(*, failed: bool) -> timedelta:
    """Return how long to wait after a run before the next: starting one costs seconds of processor time."""
    return PAUSE_AFTER_FAILURE if failed else PAUSE
