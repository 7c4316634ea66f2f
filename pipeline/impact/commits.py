"""Commits of events by the offsets that they count: of snapshots while these are kept, then of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, Self

import polars as pl
import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.impact.selection import EVERYTHING, Selection
from pipeline.ledger.archived import Archive
from pipeline.ledger.lines import lines_of
from pipeline.ledger.model import Entry
from pipeline.table_changes.sequence_numbers import sequence_numbers
from pipeline.tables.catalog import find_table, load_table, open_catalog
from pipeline.tables.commit import CONTRACT_VERSION_KEY, RUN_ID_KEY
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import LEDGER_SCHEMA, events_table, table_changes_table
from pipeline.tables.snapshots import main_history

_COUNTED = tuple(Entry.__dataclass_fields__)
_SAID = ("snapshot_id", "sequence_number", "committed_at", "run_id", "contract_version")


@dataclass(frozen=True)
class Commit:
    """One commit of events, as far as anything is kept of it.

    Attributes:
        run_id, contract_version: None where nothing that is kept says them.
        entries: what it counts, of the partitions that were asked for, in their order.
    """

    snapshot_id: int
    sequence_number: int
    committed_at: datetime
    run_id: str | None
    contract_version: str | None
    entries: tuple[Entry, ...]


class Commits:
    """The commits of one product's events, as its tables were loaded; files are read when asked for."""

    def __init__(self, events: Table, changes: Table | None, archive: Archive) -> None:
        """Look at `events`, and at what `changes` and `archive` keep of snapshots that are gone."""
        self._events = events
        self._changes = changes
        self._archive = archive

    @classmethod
    def load(cls, cell: Cell, product: str) -> Self:
        """Load the product's tables.

        Raises:
            TableMissingError: the product was never ingested in this cell.
            CatalogUnavailableError, WarehouseUnavailableError: try again later.
        """
        # Changes last: what is kept of a snapshot before it expires is there then.
        events, archive = load_table(cell, events_table(product)), Archive.load(cell, product)
        return cls(events, find_table(open_catalog(cell), table_changes_table(product)), archive)

    @property
    def events(self) -> Table:
        """The table whose commits these are."""
        return self._events

    def entries(self, selection: Selection = EVERYTHING) -> pl.DataFrame:
        """Return the entries of the ledger that may count some of a selection, oldest first.

        Columns are those of `LEDGER_SCHEMA`. Opened are only files of the ledger that may have some.

        Raises: as `reading`.
        """
        kept = self._archived(selection.entries_filter)
        fresh = self._retained.filter(selection.of_entries())
        kept = kept.join(fresh, on=["snapshot_id", "partition"], how="anti")
        return pl.concat([kept, fresh]).sort("sequence_number", "partition")

    def sequence_numbers(self, snapshot_ids: Iterable[int]) -> Mapping[int, int]:
        """Return the sequence numbers of those snapshots of which anything is kept.

        Raises: as `reading`.
        """
        return sequence_numbers(self._events, self._changes, self._archive, snapshot_ids)

    def is_known(self, snapshot_id: int) -> bool:
        """Tell whether anything is kept of a snapshot.

        Raises: as `reading`.
        """
        return bool(self.sequence_numbers([snapshot_id]))

    @cached_property
    def _retained(self) -> pl.DataFrame:
        rows = []
        for snapshot in main_history(self._events):
            said = snapshot.summary.additional_properties if snapshot.summary else {}
            rows += [
                {
                    **asdict(line.entry),
                    "snapshot_id": line.snapshot_id,
                    "sequence_number": line.sequence_number,
                    "committed_at": line.committed_at,
                    "run_id": said.get(RUN_ID_KEY),
                    "contract_version": said.get(CONTRACT_VERSION_KEY),
                }
                for line in lines_of(snapshot)
            ]
        return pl.DataFrame(pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA))

    def _archived(self, row_filter: str | None) -> pl.DataFrame:
        table = self._archive.table
        if table is None:
            return pl.DataFrame(LEDGER_SCHEMA.empty_table())
        with reading(table):
            found = table.scan(row_filter or AlwaysTrue()).to_arrow()
        return pl.DataFrame(found).select(LEDGER_SCHEMA.names)


def commits_of(entries: pl.DataFrame, snapshot_ids: Collection[int]) -> tuple[Commit, ...]:
    """Return the commits of some snapshots from their entries, oldest first."""
    of_these = entries.filter(pl.col("snapshot_id").is_in(list(snapshot_ids)))
    ordered = of_these.sort("sequence_number", "snapshot_id", "partition").iter_rows(named=True)
    return tuple(_commit(list(rows)) for _, rows in groupby(ordered, itemgetter("snapshot_id")))


def _commit(rows: Sequence[Mapping[str, Any]]) -> Commit:
    """Return the commit of some entries, all of its own."""
    entries = tuple(Entry(**{name: row[name] for name in _COUNTED}) for row in rows)
    return Commit(**{name: rows[0][name] for name in _SAID}, entries=entries)
