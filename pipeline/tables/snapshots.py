"""Questions about a table's snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.errors import TerminalError
from pipeline.tables.offsets import committed_offsets


@dataclass(frozen=True)
class SnapshotFacts:
    """A snapshot as the table's metadata has it; `parent_id` is None of a table's first."""

    snapshot_id: int
    parent_id: int | None
    sequence_number: int
    committed_at: datetime
    operation: str
    summary: Mapping[str, str] = field(default_factory=dict)


def snapshot_facts(table: Table, snapshot_id: int | None) -> SnapshotFacts | None:
    """Return what the metadata of `table`, as loaded, say of a snapshot; None if it is not retained."""
    found = None if snapshot_id is None else table.metadata.snapshot_by_id(snapshot_id)
    if found is None:
        return None
    return SnapshotFacts(
        found.snapshot_id,
        found.parent_snapshot_id,
        found.sequence_number or 0,
        datetime.fromtimestamp(found.timestamp_ms / 1000, UTC),
        found.summary.operation.value if found.summary else "",
        found.summary.additional_properties if found.summary else {},
    )


class TableRolledBackError(TerminalError):
    """The table's rows are older than the offsets it claims to hold."""


def main_history(table: Table) -> Iterator[Snapshot]:
    """Yield main's retained snapshots, newest first."""
    by_id = {snapshot.snapshot_id: snapshot for snapshot in table.metadata.snapshots}
    current = table.metadata.current_snapshot_id
    while current is not None and (snapshot := by_id.get(current)) is not None:
        yield snapshot
        current = snapshot.parent_snapshot_id


def check_not_rolled_back(table: Table) -> None:
    """Raise if the offsets were written by a retained snapshot that main no longer descends from.

    Raises:
        TableRolledBackError: with the snapshot and what to do.
    """
    offsets = committed_offsets(table)
    if offsets is None or table.metadata.snapshot_by_id(offsets.snapshot_id) is None:
        return
    if all(snapshot.snapshot_id != offsets.snapshot_id for snapshot in main_history(table)):
        raise TableRolledBackError(
            f"its offsets were committed by snapshot {offsets.snapshot_id}, which main no longer "
            "descends from: the table was rolled back, its offsets were not.",
            subject=".".join(table.name()),
            remedy=f"Roll forward to snapshot {offsets.snapshot_id}, or drop the table, remove its "
            "folder and ingest again.",
        )


def total_records(table: Table) -> int:
    """Return how many rows main's current snapshot has, as its summary says; reads no manifest.

    NOT subtracted are rows that delete files hide: no table of Headwater has any.
    """
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return 0
    return int(snapshot.summary.additional_properties.get("total-records", "0"))


def bytes_per_row(table: Table) -> float | None:
    """Return how large data files are for each row of main's current snapshot; None where it does not say."""
    snapshot, rows = table.current_snapshot(), total_records(table)
    if snapshot is None or snapshot.summary is None or not rows:
        return None
    size = snapshot.summary.additional_properties.get("total-files-size")
    return None if size is None else int(size) / rows
