"""The ledger's entries: what became of each committed range of offsets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

SUMMARY_KEY = "headwater.ledger"
"""Snapshot summary key of the entries that the snapshot's commit made."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What became of some offsets.

    Attributes:
        rows: records that became rows of events.
        duplicates: records whose uuid was already a row of the same event-time hour.
        dead_letters: records kept in the dead letters table.
        control: transactions' markers, by the evidence of their batches.
        aborted: records of aborted transactions, by the evidence of their batches.
        compacted: holes in a topic whose cleanup policy compacts.
        lost: offsets that an operator accepted as lost.
        late, invalid, out_of_order: of the rows, those past the freshness gate that the contract
            allows, those that break a business rule, and those older than an earlier row of their key.
    """

    rows: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    control: int = 0
    aborted: int = 0
    compacted: int = 0
    lost: int = 0
    late: int = 0
    invalid: int = 0
    out_of_order: int = 0

    @property
    def gaps(self) -> int:
        """Offsets that hold no record for a reader, of all kinds."""
        return self.control + self.aborted + self.compacted

    @property
    def explained(self) -> int:
        """All offsets that became something. What is told of rows counts none twice."""
        return self.rows + self.duplicates + self.dead_letters + self.gaps + self.lost

    @property
    def invalid_rate(self) -> float:
        """The SLI of validity: the share of rows that break a business rule, 0 where there are none."""
        return self.invalid / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Entry(Counts):
    """What became of the offsets [start, end) of one partition, in one commit."""

    partition: int
    start: int
    end: int

    @property
    def unexplained(self) -> int:
        """Offsets of the range that no count explains; 0 in an honest ledger."""
        return self.end - self.start - self.explained


@dataclass(frozen=True, kw_only=True)
class Totals(Counts):
    """Sums over entries; `offsets` are the lengths of their ranges."""

    offsets: int = 0

    @property
    def unexplained(self) -> int:
        """What no count explains."""
        return self.offsets - self.explained


def sum_totals(parts: Iterable[Totals]) -> Totals:
    """Return the sums of sums."""
    every = tuple(parts)
    return Totals(**{f.name: sum(getattr(p, f.name) for p in every) for f in fields(Totals)})


def sum_entries(entries: Iterable[Entry]) -> Totals:
    """Return the sums over `entries`."""
    every = tuple(entries)
    counts = {field.name: sum(getattr(e, field.name) for e in every) for field in fields(Counts)}
    return Totals(offsets=sum(e.end - e.start for e in every), **counts)


def merge_entries(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return one entry a partition, by partition: from its first entry's start to its last one's end, summed.

    `entries` of a partition are one after the other, without a hole between.
    """
    merged: dict[int, Entry] = {}
    for entry in entries:
        before = merged.get(entry.partition)
        if before is None:
            merged[entry.partition] = entry
            continue
        counts = {f.name: getattr(before, f.name) + getattr(entry, f.name) for f in fields(Counts)}
        merged[entry.partition] = Entry(entry.partition, before.start, entry.end, **counts)
    return tuple(merged[partition] for partition in sorted(merged))


def to_summary(entries: Iterable[Entry]) -> str:
    """Return the text kept under `SUMMARY_KEY`."""
    return json.dumps([asdict(entry) for entry in entries], separators=(",", ":"))


def ledger_summary(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the part of a snapshot's summary that carries `entries`."""
    return {SUMMARY_KEY: to_summary(entries)}


def from_summary(summary: Mapping[str, str]) -> tuple[Entry, ...] | None:
    """Return the entries of a snapshot's summary, or None if it carries none."""
    text = summary.get(SUMMARY_KEY)
    return None if text is None else tuple(Entry(**entry) for entry in json.loads(text))
