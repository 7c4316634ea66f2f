"""The books as the table's own history tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.cells import Cell
from pipeline.clock import hour_of
from pipeline.contract.model import Product
from pipeline.ledger.model import Entry, from_summary
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import CommittedOffsets, committed_offsets
from pipeline.tables.snapshots import main_history


@dataclass(frozen=True)
class Line:
    """One entry of the books, and the commit that made it."""

    entry: Entry
    snapshot_id: int
    committed_at: datetime


@dataclass(frozen=True)
class Totals:
    """Sums over entries, in offsets."""

    offsets: int = 0
    rows: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    gaps: int = 0
    lost: int = 0

    @property
    def unexplained(self) -> int:
        """What no count explains."""
        explained = self.rows + self.duplicates + self.dead_letters + self.gaps + self.lost
        return self.offsets - explained


@dataclass(frozen=True)
class Ledger:
    """The books of one product in one cell.

    Attributes:
        offsets: what the events table says it holds; None before the first commit.
        lines: every entry, oldest commit first.
        problems: what does not add up, one sentence each.
    """

    product: str
    cell: str
    offsets: CommittedOffsets | None
    lines: tuple[Line, ...]
    problems: tuple[str, ...]

    @property
    def totals(self) -> Totals:
        """Sums over all lines."""
        return total(self.lines)

    @property
    def unexplained(self) -> int:
        """Committed offsets that no count explains, those of missing entries included."""
        if self.offsets is None:
            return 0
        committed = sum(self.offsets.next[p] - self.offsets.first[p] for p in self.offsets.next)
        return committed - self.totals.offsets + self.totals.unexplained

    @property
    def balanced(self) -> bool:
        """Whether every committed offset is explained, once."""
        return not self.problems and self.unexplained == 0

    def by_partition(self) -> Mapping[int, Totals]:
        """Return the sums of each partition."""
        partitions = sorted({line.entry.partition for line in self.lines})
        return {
            p: total(tuple(line for line in self.lines if line.entry.partition == p))
            for p in partitions
        }

    def by_hour(self) -> Mapping[datetime, Totals]:
        """Return the sums of each hour of commit time."""
        hours = sorted({hour_of(line.committed_at) for line in self.lines})
        return {
            h: total(tuple(line for line in self.lines if hour_of(line.committed_at) == h))
            for h in hours
        }


def total(lines: tuple[Line, ...]) -> Totals:
    """Return the sums over `lines`."""
    entries = [line.entry for line in lines]
    return Totals(
        offsets=sum(e.end - e.start for e in entries),
        rows=sum(e.rows for e in entries),
        duplicates=sum(e.duplicates for e in entries),
        dead_letters=sum(e.dead_letters for e in entries),
        gaps=sum(e.gaps for e in entries),
        lost=sum(e.lost for e in entries),
    )


def read_ledger(cell: Cell, product: Product) -> Ledger:
    """Read the books from the events table's snapshots.

    Raises:
        TableMissingError: the product was never ingested in this cell.
    """
    return ledger_of(load_table(cell, events_table(product.name)), cell.name, product.name)


def ledger_of(table: Table, cell: str, product: str) -> Ledger:
    """Return the books that `table` carries."""
    offsets = committed_offsets(table)
    lines = tuple(
        Line(entry, snapshot.snapshot_id, _instant(snapshot.timestamp_ms))
        for snapshot in reversed(list(main_history(table)))
        for entry in entries_of(snapshot)
    )
    return Ledger(product, cell, offsets, lines, tuple(_problems(offsets, lines)))


def entries_of(snapshot: Snapshot) -> tuple[Entry, ...]:
    """Return the entries that `snapshot`'s commit made, none for maintenance's."""
    if snapshot.summary is None:
        return ()
    return from_summary(snapshot.summary.additional_properties) or ()


def _problems(offsets: CommittedOffsets | None, lines: tuple[Line, ...]) -> Iterator[str]:
    if offsets is None:
        if lines:
            yield "there are entries but no committed offsets"
        return
    for partition, end in sorted(offsets.next.items()):
        position = offsets.first[partition]
        for line in lines:
            entry = line.entry
            if entry.partition != partition:
                continue
            if entry.start != position:
                yield (
                    f"partition {partition}: the entry of snapshot {line.snapshot_id} starts at "
                    f"{entry.start}, and {position} was due"
                )
            if entry.unexplained:
                yield (
                    f"partition {partition}: {entry.unexplained} offsets of "
                    f"{entry.start}..{entry.end} are unexplained"
                )
            position = entry.end
        if position != end:
            yield f"partition {partition}: entries end at {position}, and {end} is committed"


def _instant(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
