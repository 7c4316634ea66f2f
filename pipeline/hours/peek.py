"""The state of some hours as it was last looked at: nothing is placed, and Kafka is not asked."""

from __future__ import annotations

from datetime import datetime

from pipeline.cells import Cell
from pipeline.clock import HOUR, Clock, utc_now
from pipeline.contract.model import Product
from pipeline.hours.closed import is_closed
from pipeline.hours.fence import Fence, FenceStore
from pipeline.hours.rows import rows_by_hour
from pipeline.hours.states import HourState, HourStates, events_id
from pipeline.ledger.retention import retention_account
from pipeline.state.open import open_state
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import total_records


def peek_hours(
    cell: Cell, product: Product, first: datetime, last: datetime, *, clock: Clock = utc_now
) -> HourStates:
    """Return the state of hours from `first` to `last`, by main of events and the fences that there are.

    Of those with rows or a fence, and of `last`, which stands at the end.
    An hour whose fence nobody has placed yet is not closed, however long ago it ended.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    table = load_table(cell, events_table(product.name))
    snapshot, committed = table.current_snapshot(), committed_offsets(table)
    if committed is None or snapshot is None:
        return HourStates(product.name, cell.name, None, clock(), ())
    rows = rows_by_hour(table, first, last + HOUR)
    fences = _fences(cell, committed.topic_id, first)
    hours = (first + number * HOUR for number in range((last - first) // HOUR + 1))
    retention = retention_account(table)
    return HourStates(
        product.name,
        cell.name,
        snapshot.snapshot_id,
        clock(),
        tuple(
            HourState(
                hour,
                rows.get(hour, 0),
                fences.get(hour),
                is_closed(fences.get(hour), committed.next),
            )
            for hour in hours
            if hour in rows or hour in fences or hour == last
        ),
        total_records(table) + retention.rows,
        events_id(table, committed),
        retention.before,
    )


def _fences(cell: Cell, topic_id: str, since: datetime) -> dict[datetime, Fence]:
    if cell.state_uri is None and not cell.state_db.exists():
        # Opening it would make it.
        return {}
    return FenceStore(open_state(cell)).fences(topic_id, since)
