"""The ledger of one product in one cell: sums, and what does not add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.ledger.archived import PartitionHours
from pipeline.ledger.balance import Balance
from pipeline.ledger.lines import Line
from pipeline.ledger.model import Entry, Totals, sum_entries, sum_totals
from pipeline.ledger.retention import RetentionAccount
from pipeline.tables.offsets import CommittedOffsets


@dataclass(frozen=True)
class Ledger:
    """The ledger of one product in one cell.

    Attributes:
        offsets: what the events table says it holds; None before the first commit.
        balance: the closed balance: what became of all offsets up to a commit, proven when it was written.
        lines: every entry after it, oldest commit first.
        problems: what does not add up, one sentence each.
        hours: the sums of each partition and hour of commit time, of the last hours that were asked for.
        retention: what retention has deleted of the rows that the entries tell of.
        rows_held: rows that the events table has, as its main's snapshot says.
    """

    product: str
    cell: str
    offsets: CommittedOffsets | None
    balance: Balance
    lines: tuple[Line, ...]
    problems: tuple[str, ...]
    hours: PartitionHours = field(default_factory=dict)
    retention: RetentionAccount = field(default_factory=RetentionAccount)
    rows_held: int = 0

    @property
    def totals(self) -> Totals:
        """Sums over all entries, closed ones included."""
        return sum_entries(self._entries())

    @property
    def unexplained(self) -> int:
        """Committed offsets that no count explains, those of missing entries included."""
        if self.offsets is None:
            return 0
        committed = sum(self.offsets.next[p] - self.offsets.first[p] for p in self.offsets.next)
        totals = self.totals
        return committed - totals.offsets + totals.unexplained

    @property
    def balanced(self) -> bool:
        """Whether every committed offset is explained, once."""
        return not self.problems and self.unexplained == 0

    @property
    def rows_unaccounted(self) -> int:
        """Rows that events have beyond those that the entries tell of: somebody else added them."""
        return max(0, self.rows_held - (self.totals.rows - self.retention.rows))

    def by_partition(self) -> Mapping[int, Totals]:
        """Return the sums of each partition, closed entries included."""
        groups: dict[int, list[Entry]] = {}
        for entry in self._entries():
            groups.setdefault(entry.partition, []).append(entry)
        return {partition: sum_entries(groups[partition]) for partition in sorted(groups)}

    def by_hour(self) -> Mapping[datetime, Totals]:
        """Return the sums of each hour of commit time, of those in `hours`."""
        groups: dict[datetime, list[Totals]] = {}
        for (_, hour), totals in self.hours.items():
            groups.setdefault(hour, []).append(totals)
        return {hour: sum_totals(groups[hour]) for hour in sorted(groups)}

    def by_partition_and_hour(self) -> Mapping[tuple[int, datetime], Totals]:
        """Return the sums of each partition and hour of commit time, of those in `hours`."""
        return {key: self.hours[key] for key in sorted(self.hours)}

    def _entries(self) -> Iterator[Entry]:
        yield from self.balance.entries
        yield from (line.entry for line in self.lines)


def find_problems(
    offsets: CommittedOffsets | None, balance: Balance, lines: tuple[Line, ...]
) -> Iterator[str]:
    """Yield what does not add up to `offsets`: what does not follow, or is unexplained."""
    if offsets is None:
        if lines or balance.entries:
            yield "there are entries but no committed offsets"
        return
    closed = {entry.partition: entry for entry in balance.entries}
    for partition, end in sorted(offsets.next.items()):
        position = offsets.first[partition]
        if partition in closed:
            yield from _of_entry(closed[partition], position, "the closed balance")
            position = closed[partition].end
        for line in lines:
            if line.entry.partition != partition:
                continue
            yield from _of_entry(line.entry, position, f"the entry of snapshot {line.snapshot_id}")
            position = line.entry.end
        if position != end:
            yield f"partition {partition}: entries end at {position}, and {end} is committed"


def _of_entry(entry: Entry, due: int, name: str) -> Iterator[str]:
    if entry.start != due:
        yield f"partition {entry.partition}: {name} starts at {entry.start}, and {due} was due"
    if entry.unexplained:
        yield (
            f"partition {entry.partition}: {entry.unexplained} offsets of "
            f"{entry.start}..{entry.end} are unexplained"
        )
