"""What an ingest has done, commit by commit and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from pipeline.ingest.model import MicroBatch, Plan
from pipeline.ingest.transform.held_back import HeldBackPartition
from pipeline.ledger.model import Entry, Totals, sum_entries
from pipeline.tables.offsets import CommittedOffsets

COUNT_FIELDS = (
    "offsets",
    "rows",
    "duplicates",
    "dead_letters",
    "gaps",
    "late",
    "invalid",
    "out_of_order",
)
"""What is counted of an ingest, by the names of `Totals`."""


@dataclass(frozen=True, kw_only=True)
class CommittedBatch(Totals):
    """One committed micro-batch; counts are of this batch alone.

    Attributes:
        entries: the ledger's entries of it, one a partition.
        reasons: dead letters by reason.
        rules: rows that break a business rule, by rule.
        singly: events that were decoded one by one, which is slow.
        lag: records that still wait in Kafka after it; not those that are held back.
        held_back: partition -> the first offset that waits for the contract to list its payload version.
    """

    snapshot_id: int
    committed_at: datetime
    entries: tuple[Entry, ...]
    reasons: Mapping[str, int]
    rules: Mapping[str, int]
    lag: int
    held_back: Mapping[int, int] = field(default_factory=dict)
    singly: int = 0

    @property
    def ranges(self) -> Mapping[int, tuple[int, int]]:
        """Partition -> the offsets [start, end) that it added."""
        return {entry.partition: (entry.start, entry.end) for entry in self.entries}


def summarize_batch(
    plan: Plan, batch: MicroBatch, offsets: CommittedOffsets, held_back: Iterable[HeldBackPartition]
) -> CommittedBatch:
    """Return what `batch` of `plan` was, now that it is committed as `offsets` tell."""
    return CommittedBatch(
        snapshot_id=offsets.snapshot_id,
        committed_at=offsets.committed_at,
        entries=batch.entries,
        **asdict(sum_entries(batch.entries)),
        reasons=batch.reasons,
        rules=batch.rules,
        singly=batch.singly,
        lag=plan.lag - sum(entry.end - entry.start for entry in batch.entries),
        held_back={one.partition: one.offset for one in held_back},
    )


@dataclass
class IngestReport:
    """Sums over the commits of one ingest.

    `held_back` is partition -> the first offset that waits for the contract to list its payload version;
    `snapshot_id` is the last commit's; `stopped` tells whether it was asked to stop before it had
    caught up.
    """

    commits: int = 0
    offsets: int = 0
    rows: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    gaps: int = 0
    late: int = 0
    invalid: int = 0
    out_of_order: int = 0
    lag: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    held_back: dict[int, int] = field(default_factory=dict)
    singly: int = 0
    snapshot_id: int | None = None
    stopped: bool = False

    def add(self, committed: CommittedBatch) -> None:
        """Count one commit in."""
        self.commits += 1
        for name in COUNT_FIELDS:
            setattr(self, name, getattr(self, name) + getattr(committed, name))
        self.lag = committed.lag
        self.snapshot_id = committed.snapshot_id
        self.reasons.update(committed.reasons)
        self.rules.update(committed.rules)
        self.singly += committed.singly
