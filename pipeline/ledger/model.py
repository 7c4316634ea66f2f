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
        gaps: offsets that the fetch passed without being given a record: control records, aborted
            transactions, compaction. Not told apart by kind.
        lost: offsets that an operator accepted as lost.
    """

    partition: int
    start: int
    end: int
    rows: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    gaps: int = 0
    lost: int = 0

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
