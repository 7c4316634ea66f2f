"""Letting old snapshots go, and the files that nothing else needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io import FileIO
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.maintenance.plan import MaintenancePolicy, SnapshotAge, expirable_snapshots
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.pyiceberg_private import expire_snapshots
from pipeline.tables.snapshots import main_history
from pipeline.tables.transaction import SteadyTransaction

_ATTEMPTS = 10


def plan_expiry(
    table: Table, now: datetime, policy: MaintenancePolicy, archived_through: int | None = None
) -> tuple[int, ...]:
    """Return the snapshots of main's history that `expire` would let go, oldest first.

    Snapshots outside main's history (staged ones) are not among them, nor those from the one that the
    offsets name onwards: from main's head to it, history must stay whole. `archived_through` is the last
    sequence number whose ledger lines are kept; snapshots after it stay.
    """
    history = [
        SnapshotAge(
            one.snapshot_id,
            one.sequence_number or 0,
            datetime.fromtimestamp(one.timestamp_ms / 1000, UTC),
        )
        for one in main_history(table)
    ]
    offsets = committed_offsets(table)
    return expirable_snapshots(
        history,
        protected={ref.snapshot_id for ref in table.metadata.refs.values()},
        whole_to=None if offsets is None else offsets.snapshot_id,
        archived_through=archived_through,
        now=now,
        policy=policy,
    )


def expire(table: Table, snapshot_ids: Iterable[int]) -> int:
    """Expire snapshots and delete the files that only they needed; return how many files.

    Their ledger lines must have been kept before. A crash in between leaves orphan files, which no
    reader sees. Who still reads an expired snapshot finds files missing.
    """
    doomed = {
        one.snapshot_id: one
        for one in table.metadata.snapshots
        if one.snapshot_id in set(snapshot_ids)
    }
    if not doomed:
        return 0
    for attempt in range(_ATTEMPTS):
        try:
            transaction = SteadyTransaction(table, autocommit=True)
            expire_snapshots(transaction).by_ids(list(doomed)).commit()
            break
        except CommitFailedException:
            # Somebody else committed first: it carries no offsets, so that it may simply follow.
            if attempt == _ATTEMPTS - 1:
                raise
            table = table.refresh()
    table = table.refresh()
    return _delete(table, list(doomed.values()))


def _delete(table: Table, expired: list[Snapshot]) -> int:
    io = table.io
    kept: dict[str, ManifestFile] = {}
    for snapshot in table.metadata.snapshots:
        kept.update({one.manifest_path: one for one in snapshot.manifests(io)})
    gone: dict[str, ManifestFile] = {}
    for snapshot in expired:
        gone.update(
            {m.manifest_path: m for m in snapshot.manifests(io) if m.manifest_path not in kept}
        )
    files = _files(io, gone.values()) - _files(io, kept.values()) if gone else set()
    doomed = [*files, *gone, *(snapshot.manifest_list for snapshot in expired)]
    for path in doomed:
        io.delete(path)
    return len(doomed)


def _files(io: FileIO, manifests: Iterable[ManifestFile]) -> set[str]:
    return {
        entry.data_file.file_path
        for manifest in manifests
        for entry in manifest.fetch_manifest_entry(io, discard_deleted=True)
    }
