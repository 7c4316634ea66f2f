"""What waits in a cell's queue, and what became of what did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.cells import Cell
from pipeline.lineage.collector import collector_of
from pipeline.lineage.queue.store import Queue, Tally


@dataclass(frozen=True)
class QueueStatus:
    """A cell's queue as it is.

    Attributes:
        transport: `file`, `http` or `kafka`.
        address: where events are sent; None for `file`.
        events, bytes: what waits.
        oldest: since when; None if nothing does.
        tally: what became of events so far.
    """

    transport: str
    address: str | None
    events: int
    bytes: int
    oldest: datetime | None
    tally: Tally


def queue_status(cell: Cell) -> QueueStatus:
    """Return how the cell's queue is. Changes nothing, and asks no collector."""
    collector, queue = collector_of(cell), Queue.of(cell)
    waiting = queue.entries()
    return QueueStatus(
        transport="file" if collector is None else collector.transport,
        address=None if collector is None else collector.address,
        events=sum(len(one.read()) for one in waiting),
        bytes=sum(one.bytes for one in waiting),
        oldest=waiting[0].since if waiting else None,
        tally=queue.tally(),
    )
