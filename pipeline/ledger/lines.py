"""The entries of the ledger, with the commits that made them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.table.snapshots import Snapshot

from pipeline.ledger.model import Entry, from_summary


@dataclass(frozen=True)
class Line:
    """One entry of the ledger, and the commit that made it."""

    entry: Entry
    snapshot_id: int
    sequence_number: int
    committed_at: datetime


def lines_of(snapshot: Snapshot) -> tuple[Line, ...]:
    """Return the entries that `snapshot`'s commit made, none for maintenance's."""
    if snapshot.summary is None:
        return ()
    entries = from_summary(snapshot.summary.additional_properties) or ()
    at = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)
    return tuple(
        Line(entry, snapshot.snapshot_id, snapshot.sequence_number or 0, at) for entry in entries
    )
