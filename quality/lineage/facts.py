"""What a cell has of a product's tables, of its dead letters and of its hours: bounded, and without Kafka."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.lineage.graph import DEAD_LETTERS
from pipeline.contract.model import EVENTS, Product, published_table
from pipeline.control.publications import HourSpan, Publication, latest, read_recorded
from pipeline.dead_letters.fate import Fate
from pipeline.dead_letters.read import fates, load_letter_tables
from pipeline.event_state import State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.model import Entry, from_summary
from pipeline.ledger.read import read_ledger
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.commit import RUN_ID_KEY
from pipeline.tables.layout import dead_letters_table, events_table, product_table
from pipeline.tables.snapshots import SnapshotFacts, main_history, snapshot_facts, total_records

SNAPSHOTS = 5
"""So many of a table's snapshots are told of, the newest."""
HOURS = 24
"""So many of a table's published hours are told of, the newest."""
RECENT = timedelta(days=7)
"""Hours of this long, and those published in it, are looked at."""
MOST_LETTERS = 200_000
"""Of more dead letters nobody is told what became of each: reading them would take long."""


@dataclass(frozen=True)
class SnapshotRow:
    """A snapshot of a table's main.

    Attributes:
        added: rows that it added, as its summary says.
        entries: the ledger's entries that it carries; of an ingest's commit alone.
    """

    facts: SnapshotFacts
    added: int
    run_id: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class TableFacts:
    """What a cell has of one table.

    Attributes:
        identifier: the Iceberg table that its hours are published in, or that ingest writes.
        rows: of main's newest snapshot; of a feature table, those of the table that readers read.
        types: column -> type, as Iceberg has them.
        snapshots: of main, the newest first.
        hours: the last publications of hours, the newest hours first; of derived tables alone.
    """

    identifier: str
    rows: int
    types: Mapping[str, str]
    snapshots: tuple[SnapshotRow, ...]
    hours: tuple[Publication, ...] = ()


@dataclass(frozen=True)
class CellFacts:
    """What a cell has of a product, as it was when looked at.

    Attributes:
        ledger: None where the product was never ingested.
        by_fate: what became of how many dead letters; None of more than `MOST_LETTERS`.
        tables: by the names of contracts; those that are not there yet are left out.
    """

    cell: str
    looked_at: datetime
    ledger: Ledger | None = None
    by_fate: Mapping[Fate, int] | None = None
    tables: Mapping[str, TableFacts] = field(default_factory=dict)

    @property
    def states(self) -> Mapping[State, int]:
        """How many events are in which state, of those that tables tell of; none before the first commit.

        SinkCommitted counts all that ever became rows, Archived those that retention has left. A dead letter
        that was replayed and has landed is one of these.
        """
        if self.ledger is None:
            return {}
        counts = {
            State.SINK_COMMITTED: self.ledger.totals.rows,
            State.ARCHIVED: self.ledger.totals.rows - self.ledger.retention.rows,
        }
        if self.by_fate is None:
            return counts
        for state in (State.DEAD_LETTER, State.REPLAY, State.DISCARDED):
            counts[state] = sum(n for fate, n in self.by_fate.items() if _state_of(fate) is state)
        return counts


def _state_of(fate: Fate) -> State:
    # Sent is Raw again, and told with what is on its way back.
    return State.REPLAY if fate is Fate.SENT else fate.state


def look(cell: Cell, product: Product, clock: Clock = utc_now) -> CellFacts:
    """Look at what the cell has: at metadata, control tables' recent files, and dead letters' coordinates.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        FileMissingError, FileDamagedError: a table cannot be read.
    """
    now = clock()
    catalog = open_catalog(cell)
    events = find_table(catalog, events_table(product.name))
    if events is None:
        return CellFacts(cell.name, now)
    tables = {EVENTS: _facts(events)}
    letters = find_table(catalog, dead_letters_table(product.name))
    if letters is not None:
        tables[DEAD_LETTERS] = _facts(letters)
    hours = _hours(cell, product, now)
    for derived in product.derived_tables:
        identifier = published_table(product, derived)
        readers = find_table(catalog, product_table(product.name, derived.name))
        found = readers if derived.feature is None else find_table(catalog, identifier)
        if found is not None:
            known = _facts(found, hours.get(identifier, ()))
            rows = known.rows if readers is None else total_records(readers)
            tables[derived.name] = TableFacts(
                identifier, rows, known.types, known.snapshots, known.hours
            )
    return CellFacts(
        cell.name, now, read_ledger(cell, product, last=0), _by_fate(cell, product, letters), tables
    )


def _facts(table: Table, hours: tuple[Publication, ...] = ()) -> TableFacts:
    return TableFacts(
        ".".join(table.name()),
        total_records(table),
        {one.name: str(one.field_type) for one in table.schema().fields},
        tuple(_row(table, one.snapshot_id) for one in islice(main_history(table), SNAPSHOTS)),
        hours,
    )


def _row(table: Table, snapshot_id: int) -> SnapshotRow:
    facts = snapshot_facts(table, snapshot_id)
    if facts is None:
        raise KeyError(snapshot_id)
    return SnapshotRow(
        facts,
        int(facts.summary.get("added-records", "0")),
        facts.summary.get(RUN_ID_KEY, ""),
        from_summary(facts.summary) or (),
    )


def _hours(cell: Cell, product: Product, now: datetime) -> Mapping[str, tuple[Publication, ...]]:
    since = now - RECENT
    last = latest(read_recorded(cell, product.name, HourSpan(since, None, since)).publications)
    by_table: dict[str, list[Publication]] = {}
    for (table, _), one in sorted(last.items(), key=lambda item: item[0][1], reverse=True):
        by_table.setdefault(table, []).append(one)
    return {table: tuple(found[:HOURS]) for table, found in by_table.items()}


def _by_fate(cell: Cell, product: Product, letters: Table | None) -> Mapping[Fate, int] | None:
    if letters is None or total_records(letters) > MOST_LETTERS:
        return None
    found = fates(load_letter_tables(cell, product)).get_column("fate").value_counts()
    return {Fate(name): count for name, count in found.iter_rows()}
