"""Which snapshots of a table may go: pure functions of what its metadata says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.maintenance.plan import MaintenancePolicy


@dataclass(frozen=True)
class SnapshotAge:
    """A snapshot, and when it was committed.

    Attributes:
        carried: whether main's next snapshot was retained and has all of this one's manifests: then no
            file but its own list of manifests goes with it.
        staged: whether it was written off main, to be audited before it is published.
        current_until: when main went on to the next one; None where that is not known, or has not been.
    """

    snapshot_id: int
    sequence_number: int
    committed_at: datetime
    carried: bool = False
    staged: bool = False
    current_until: datetime | None = None

    @property
    def last_opened_at(self) -> datetime:
        """The last moment at which a reader of main can have opened it, as far as that is known."""
        return self.current_until or self.committed_at


@dataclass(frozen=True)
class Lineage:
    """A table's snapshots, and what holds some of them.

    Attributes:
        history: main's, newest first, as far as each names the one before it.
        others: all that are not among them: staged ones, and those of main that come before a gap.
        protected: snapshots that a branch or tag names.
        whole_to: down to the oldest of these, main's history must have no gap.
        archived_through: the last sequence number whose ledger entries are kept elsewhere; None where
            no snapshot carries any.
    """

    history: Sequence[SnapshotAge]
    others: Sequence[SnapshotAge] = ()
    protected: frozenset[int] = frozenset()
    whole_to: frozenset[int] = frozenset()
    archived_through: int | None = None


def expirable_snapshots(
    lineage: Lineage, now: datetime, policy: MaintenancePolicy
) -> tuple[int, ...]:
    """Return the snapshots that may expire, oldest first.

    Never what is protected, what comes after the last archived entry, main's `retain_last` newest, or
    what main's history must be whole to. Of main, what readers can last have opened longer ago than
    `retain`, and of what is carried, longer ago than `retain_commits`; of what was staged, longer ago than
    `retain_staged`.
    """
    found = [
        *_old_history(lineage, now, policy),
        *(one for one in lineage.others if _is_old(one, now, policy)),
    ]
    return _released(lineage, found)


def passing_commits(lineage: Lineage, now: datetime, policy: MaintenancePolicy) -> tuple[int, ...]:
    """Return those of `expirable_snapshots` that are carried: no manifest need be read to let them go."""
    return _released(lineage, (one for one in _old_history(lineage, now, policy) if one.carried))


def _old_history(
    lineage: Lineage, now: datetime, policy: MaintenancePolicy
) -> Iterator[SnapshotAge]:
    """Yield those of main that are old enough and that its history need not be whole to."""
    begin = max(policy.retain_last, _whole(lineage))
    history = lineage.history
    for number, one in enumerate(history[begin:], begin):
        before = history[number + 1] if number + 1 < len(history) else None
        # By what follows a snapshot is told until when it was main's: this one stays as long as that.
        tells = before is not None and not before.carried and not _is_old(before, now, policy)
        if _is_old(one, now, policy) and not tells:
            yield one


def _is_old(one: SnapshotAge, now: datetime, policy: MaintenancePolicy) -> bool:
    if one.staged:
        return one.last_opened_at < now - policy.retain_staged
    if one.carried:
        return one.last_opened_at < now - min(policy.retain_commits, policy.retain)
    return one.last_opened_at < now - policy.retain


def _whole(lineage: Lineage) -> int:
    """Return how many of main's newest snapshots must stay, for its history to have no gap."""
    at = {one.snapshot_id: number for number, one in enumerate(lineage.history)}
    return max((at[each] + 1 for each in lineage.whole_to if each in at), default=0)


def _released(lineage: Lineage, found: Iterable[SnapshotAge]) -> tuple[int, ...]:
    through = lineage.archived_through
    free = (
        one
        for one in found
        if one.snapshot_id not in lineage.protected
        and (through is None or one.sequence_number <= through)
    )
    ordered = sorted(free, key=lambda one: (one.committed_at, one.sequence_number))
    return tuple(one.snapshot_id for one in ordered)
