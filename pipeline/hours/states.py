"""The state of a product's hours: the fences that are due are placed, and closed hours are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.hours.closed import candidate_hours, hours_to_fence, is_closed
from pipeline.hours.closings import ClosingStore
from pipeline.hours.fence import Fence, FenceStore
from pipeline.hours.rows import rows_by_hour
from pipeline.ledger.retention import retention_account
from pipeline.state.open import open_state
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import CommittedOffsets, committed_offsets
from pipeline.tables.snapshots import total_records


@dataclass(frozen=True)
class HourState:
    """One hour of event time, as of a look.

    Attributes:
        hour: its start, UTC.
        rows: rows of events in it, in the snapshot looked at.
        fence: None while the allowed lateness has not passed.
        closed: whether everything up to the fence is in that snapshot.
    """

    hour: datetime
    rows: int
    fence: Fence | None
    closed: bool


@dataclass(frozen=True)
class HourStates:
    """What one look found.

    Attributes:
        snapshot_id: the snapshot of events looked at; None before the first commit. A closed hour is
            whole in it: builds are to read this one.
        hours: oldest first; those that were asked for.
        total_rows: rows of events that ever came, up to that snapshot, of all hours: those that retention
            has deleted since are counted.
        events_id: tells the table of events and its topic from any others.
        retained_from: hours before it were deleted by retention, and have rows at most that came later;
            None where none were.
    """

    product: str
    cell: str
    snapshot_id: int | None
    looked_at: datetime
    hours: tuple[HourState, ...]
    total_rows: int = 0
    events_id: str = ""
    retained_from: datetime | None = None

    @property
    def closed(self) -> tuple[datetime, ...]:
        """The closed hours, oldest first."""
        return tuple(state.hour for state in self.hours if state.closed)


def fence_hours(
    cell: Cell,
    product: Product,
    now: datetime,
    watermarks: Mapping[int, int],
    also: Iterable[datetime] = (),
    since: datetime | None = None,
) -> HourStates:
    """Fence every hour that is due, note which are closed, and return the state of all. Idempotent.

    Hours before `since`, if it is given, are neither looked at nor read.

    `watermarks` maps every partition of the product's topic to its high watermark, open transactions
    included (READ_UNCOMMITTED), asked for at `now` or later: earlier ones could close an hour too
    soon. Hours looked at are those with rows, those of the wall clock since the product's first look
    in this cell, and those of `also`.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        NotHourlyError: the events table is not partitioned by hour.
    """
    table = load_table(cell, events_table(product.name))
    snapshot = table.current_snapshot()
    committed = committed_offsets(table)
    if committed is None or snapshot is None:
        return HourStates(product.name, cell.name, None, now, ())
    retention = retention_account(table)
    state = open_state(cell)
    store = FenceStore(state)
    watched = store.watched_since(committed.topic_id, now)
    rows = rows_by_hour(table, since)
    wanted = (one for one in also if since is None or one >= since)
    first = watched if since is None else max(watched, since)
    candidates = candidate_hours((*rows, *wanted), first, now)
    lateness = timedelta(seconds=product.allowed_lateness_s)
    due = hours_to_fence(candidates, store.fences(committed.topic_id, since), now, lateness)
    if due:
        store.place(committed.topic_id, due, watermarks, now)
    # Read back: another process may have placed some of them first.
    fences = store.fences(committed.topic_id, since)
    states = tuple(
        HourState(
            hour, rows.get(hour, 0), fences.get(hour), is_closed(fences.get(hour), committed.next)
        )
        for hour in candidates
    )
    found = HourStates(
        product.name,
        cell.name,
        snapshot.snapshot_id,
        now,
        states,
        total_records(table) + retention.rows,
        events_id(table, committed),
        retention.before,
    )
    tables = [derived_table.name for derived_table in product.derived_tables]
    ClosingStore(state).note(committed.topic_id, found.closed, tables, now, since)
    return found


def events_id(table: Table, committed: CommittedOffsets) -> str:
    """Return what tells a table of events and its topic from any others."""
    return f"{table.metadata.table_uuid}/{committed.topic_id}"
