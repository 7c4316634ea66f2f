"""Commits of events by the offsets that they count: of snapshots while these are kept, then of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl
import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table

from pipeline.impact.selection import EVERYTHING, Selection
from pipeline.ledger.archived import Archive
from pipeline.ledger.lines import lines_of
from pipeline.ledger.model import Entry
from pipeline.tables.commit import CONTRACT_VERSION_KEY, RUN_ID_KEY
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import LEDGER_SCHEMA
from pipeline.tables.snapshots import main_history

_IDS_AT_ONCE = 500
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
    """The commits of one product's events, as both tables were loaded; files are read when asked for."""

    def __init__(self, events: Table, archive: Archive) -> None:
        """Look at `events`, and at what `archive` keeps of snapshots that are gone."""
        self._events = events
        self._archive = archive

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
        retained = {
            one.snapshot_id: one.sequence_number or 0 for one in self._events.metadata.snapshots
        }
        wanted = set(snapshot_ids)
        found = {one: retained[one] for one in wanted if one in retained}
        lacking = sorted(wanted - set(found))
        for begin in range(0, len(lacking), _IDS_AT_ONCE):
            ids = ", ".join(map(str, lacking[begin : begin + _IDS_AT_ONCE]))
            rows = self._archived(f"snapshot_id in ({ids})", ("snapshot_id", "sequence_number"))
            found |= dict(rows.iter_rows())
        return found

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

    def _archived(
        self, row_filter: str | None, columns: tuple[str, ...] = tuple(LEDGER_SCHEMA.names)
    ) -> pl.DataFrame:
        table = self._archive.table
        if table is None:
            return pl.DataFrame(
                pa.schema([LEDGER_SCHEMA.field(one) for one in columns]).empty_table()
            )
        with reading(table):
            found = table.scan(row_filter or AlwaysTrue(), selected_fields=columns).to_arrow()
        return pl.DataFrame(found).select(columns)


def commits_of(entries: pl.DataFrame, snapshot_ids: Collection[int]) -> tuple[Commit, ...]:
    """Return the commits of some snapshots from their entries, oldest first."""
    of_these = entries.filter(pl.col("snapshot_id").is_in(list(snapshot_ids)))
    ordered = of_these.sort("sequence_number", "snapshot_id", "partition").iter_rows(named=True)
    return tuple(_commit(list(rows)) for _, rows in groupby(ordered, itemgetter("snapshot_id")))


def _commit(rows: Sequence[Mapping[str, Any]]) -> Commit:
    """Return the commit of some entries, all of its own."""
    entries = tuple(Entry(**{name: row[name] for name in _COUNTED}) for row in rows)
    return Commit(**{name: rows[0][name] for name in _SAID}, entries=entries)
