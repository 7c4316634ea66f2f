"""The ledger, as the tables tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import hour_of
from pipeline.contract.model import Product
from pipeline.ledger.archive import read_archive
from pipeline.ledger.lines import Line, lines_of
from pipeline.ledger.model import Totals, sum_entries
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import CommittedOffsets, committed_offsets
from pipeline.tables.snapshots import main_history

Key = TypeVar("Key", int, datetime, tuple[int, datetime])


@dataclass(frozen=True)
class Ledger:
    """The ledger of one product in one cell.

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
        return _total(self.lines)

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
        return {p: _total(lines) for p, lines in self._grouped(lambda line: line.entry.partition)}

    def by_hour(self) -> Mapping[datetime, Totals]:
        """Return the sums of each hour of commit time."""
        return {
            h: _total(lines) for h, lines in self._grouped(lambda line: hour_of(line.committed_at))
        }

    def by_partition_and_hour(self) -> Mapping[tuple[int, datetime], Totals]:
        """Return the sums of each partition and hour of commit time."""
        grouped = self._grouped(lambda line: (line.entry.partition, hour_of(line.committed_at)))
        return {key: _total(lines) for key, lines in grouped}

    def _grouped(self, key: Callable[[Line], Key]) -> list[tuple[Key, list[Line]]]:
        groups: dict[Key, list[Line]] = {}
        for line in self.lines:
            groups.setdefault(key(line), []).append(line)
        return [(k, groups[k]) for k in sorted(groups)]


def _total(lines: Iterable[Line]) -> Totals:
    return sum_entries(line.entry for line in lines)


def read_ledger(cell: Cell, product: Product) -> Ledger:
    """Read the ledger: the kept entries, and those of the snapshots after them.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    events = load_table(cell, events_table(product.name))
    return ledger_of(events, cell, product.name)


def ledger_of(table: Table, cell: Cell, product: str) -> Ledger:
    """Return the ledger of the events `table` as loaded, with those kept of expired snapshots."""
    offsets = committed_offsets(table)
    kept, through = read_archive(cell, product)
    current = table.current_snapshot()
    newest = 0 if current is None else current.sequence_number or 0
    since = tuple(
        line
        for snapshot in reversed(list(main_history(table)))
        if (snapshot.sequence_number or 0) > through
        for line in lines_of(snapshot)
    )
    # Kept meanwhile, of snapshots that this `table` was loaded too early to have.
    lines = (*(line for line in kept if line.sequence_number <= newest), *since)
    return Ledger(product, cell.name, offsets, lines, tuple(_problems(offsets, lines)))


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
