"""The books' entries: what became of each committed range of offsets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

SUMMARY_KEY = "headwater.ledger"
"""Snapshot summary key of the entries that the snapshot's commit made."""


@dataclass(frozen=True)
class Entry:
    """What became of the offsets [start, end) of one partition, in one commit.

    Attributes:
        rows: records that became rows of events.
        duplicates: records whose uuid was already a row of the same event-time hour.
        dead_letters: records kept in the dead letters table.
        control: transactions' markers, by the evidence of their batches.
        aborted: records of aborted transactions, by the evidence of their batches.
        compacted: holes in a topic whose cleanup policy compacts.
        lost: offsets that an operator accepted as lost.
    """

    partition: int
    start: int
    end: int
    rows: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    control: int = 0
    aborted: int = 0
    compacted: int = 0
    lost: int = 0

    @property
    def gaps(self) -> int:
        """Offsets that hold no record for a reader, of all kinds."""
        return self.control + self.aborted + self.compacted

    @property
    def unexplained(self) -> int:
        """Offsets of the range that no count explains; 0 in honest books."""
        explained = self.rows + self.duplicates + self.dead_letters + self.gaps + self.lost
        return self.end - self.start - explained


def to_summary(entries: Iterable[Entry]) -> str:
    """Return the text kept under `SUMMARY_KEY`."""
    return json.dumps([asdict(entry) for entry in entries], separators=(",", ":"))


def from_summary(summary: Mapping[str, str]) -> tuple[Entry, ...] | None:
    """Return the entries of a snapshot's summary, or None if it carries none."""
    text = summary.get(SUMMARY_KEY)
    return None if text is None else tuple(Entry(**entry) for entry in json.loads(text))
