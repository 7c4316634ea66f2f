"""The ledger table, as its readers find it: entries kept of older commits, and their closed balance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.ledger.balance import BALANCE_PROPERTY, Balance
from pipeline.ledger.lines import Line
from pipeline.ledger.model import Counts, Entry, Totals
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import ledger_table
from pipeline.tables.snapshots import main_history

ARCHIVED_PROPERTY = "headwater.ledger-kept"
"""Table property of the ledger table: the last sequence number of events whose entries it holds."""

PartitionHours = Mapping[tuple[int, datetime], Totals]
"""(partition, hour of commit) -> sums."""


@dataclass(frozen=True)
class Archive:
    """The ledger table as it was loaded; rows are read when they are asked for.

    Attributes:
        through: the last sequence number of events whose entries it holds, 0 for none.
        balance: the closed balance of entries up to `balance.through`: of all of them, unless one is not
            proven or the table is of a format that kept none.
        problems: what does not add up, one sentence each.
    """

    table: Table | None = None
    through: int = 0
    balance: Balance = field(default_factory=Balance)
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Table) -> Self:
        """Return the archive that `table` is."""
        text = table.properties.get(BALANCE_PROPERTY)
        balance = Balance() if text is None else Balance.from_json(text)
        through = int(table.properties.get(ARCHIVED_PROPERTY, "0"))
        problems = ("the ledger table was rolled back",) if _rolled_back(table, balance) else ()
        return cls(table, through, balance, problems)

    @classmethod
    def load(cls, cell: Cell, product: str) -> Self:
        """Return the product's archive; an empty one where there is no table yet."""
        table = find_table(open_catalog(cell), ledger_table(product))
        return cls() if table is None else cls.of(table)

    def lines(self, after: int | None = None) -> tuple[Line, ...]:
        """Return the entries of commits after sequence number `after`, oldest commit first.

        After the closed balance by default: mostly none, and then no file is opened.
        """
        begin = self.balance.through if after is None else after
        if self.table is None or begin >= self.through:
            return ()
        rows = self._read(f"sequence_number > {begin}")
        order = [
            ("sequence_number", "ascending"),
            ("partition", "ascending"),
            ("start", "ascending"),
        ]
        names = Entry.__dataclass_fields__
        return tuple(
            Line(
                entry=Entry(**{name: row[name] for name in names}),
                snapshot_id=row["snapshot_id"],
                sequence_number=row["sequence_number"],
                committed_at=row["committed_at"],
            )
            for row in rows.sort_by(order).to_pylist()
        )

    def hourly(self, since: datetime, through: int) -> PartitionHours:
        """Return the sums of commits from `since` on, up to sequence number `through`.

        Opens files of those days alone.
        """
        if self.table is None:
            return {}
        counts = [field.name for field in fields(Counts)]
        rows = self._read(
            f"committed_at >= '{since.isoformat()}' and sequence_number <= {through}",
            ("partition", "start", "end", "committed_at", *counts),
        )
        hours = pc.floor_temporal(rows["committed_at"], unit="hour")
        rows = rows.append_column("hour", hours).append_column(
            "offsets", pc.subtract(rows["end"], rows["start"])
        )
        summed = ["offsets", *counts]
        groups = rows.group_by(["partition", "hour"]).aggregate([(name, "sum") for name in summed])
        return {
            (row["partition"], row["hour"].astimezone(UTC)): Totals(
                **{name: row[f"{name}_sum"] for name in summed}
            )
            for row in groups.to_pylist()
        }

    def _read(self, wanted: str, columns: tuple[str, ...] = ("*",)) -> pa.Table:
        if self.table is None:
            raise TypeError("there are no rows without a table")
        with reading(self.table):
            return self.table.scan(wanted, selected_fields=columns).to_arrow()


def _rolled_back(table: Table, balance: Balance) -> bool:
    """Whether the balance was written by a retained snapshot that main no longer descends from."""
    if table.metadata.snapshot_by_id(balance.snapshot_id) is None:
        return False
    return all(one.snapshot_id != balance.snapshot_id for one in main_history(table))
