"""What an ingest has done, commit by commit and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.ledger.model import Entry


@dataclass(frozen=True)
class Committed:
    """One committed micro-batch; counts are of this batch alone.

    Attributes:
        ranges: partition -> the offsets [start, end) that it added.
        reasons: dead letters by reason.
        rules: rows that break a business rule, by rule.
        lag: records that still wait in Kafka after it.
    """

    snapshot_id: int
    committed_at: datetime
    ranges: Mapping[int, tuple[int, int]]
    rows: int
    duplicates: int
    dead_letters: int
    gaps: int
    late: int
    reasons: Mapping[str, int]
    rules: Mapping[str, int]
    lag: int


@dataclass
class IngestReport:
    """Sums over the commits of one ingest.

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
    lag: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    snapshot_id: int | None = None
    stopped: bool = False

    def add(self, committed: Committed) -> None:
        """Count one commit in."""
        self.commits += 1
        self.offsets += sum(end - start for start, end in committed.ranges.values())
        self.rows += committed.rows
        self.duplicates += committed.duplicates
        self.dead_letters += committed.dead_letters
        self.gaps += committed.gaps
        self.late += committed.late
        self.lag = committed.lag
        self.snapshot_id = committed.snapshot_id
        self.reasons.update(committed.reasons)
        self.rules.update(committed.rules)


def summed(entries: tuple[Entry, ...], field_name: str) -> int:
    """Return the sum of one of the entries' counts."""
    return sum(int(getattr(entry, field_name)) for entry in entries)
