"""Letting old snapshots go, and the files that nothing else needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io import FileIO
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.failpoints import failpoint
from pipeline.maintenance.lineage import is_staged, lineage_of, outdated_tags
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.snapshots import expirable_snapshots
from pipeline.tables.commit import disable_commit_retries
from pipeline.tables.commit_retry import SECONDS, retry_commit
from pipeline.tables.pyiceberg_private import expire_snapshots
from pipeline.tables.transaction import SteadyTransaction


def plan_expiry(
    table: Table, now: datetime, policy: MaintenancePolicy, archived_through: int | None = None
) -> tuple[int, ...]:
    """Return the snapshots that `expire` would let go, oldest first. Reads the table's metadata alone.

    `archived_through` is the last sequence number whose ledger lines are kept; snapshots after it stay.
    """
    lineage = lineage_of(table, now, archived_through)
    return () if lineage is None else expirable_snapshots(lineage, now, policy)


def expire(table: Table, snapshot_ids: Iterable[int]) -> int:
    """Expire snapshots and delete the files that only they needed; return how many files.

    Their ledger lines must have been kept before. A crash in between leaves orphan files, which no
    reader sees. Who still reads an expired snapshot finds files missing.

    Raises:
        TableBusyError: other writers came first for a minute; no snapshot went.
    """
    table, gone = _forget(table, set(snapshot_ids))
    failpoint("maintenance.before_delete")
    return _delete(table, gone) if gone else 0


def expire_commits(table: Table, snapshot_ids: Iterable[int], seconds: float = SECONDS) -> int:
    """Expire snapshots whose files are all needed by what follows them; return how many.

    `snapshot_ids` are `passing_commits`. Reads no file, and deletes the lists of manifests alone.

    Raises:
        TableBusyError: other writers came first for `seconds`; no snapshot went.
    """
    table, gone = _forget(table, set(snapshot_ids), seconds)
    failpoint("maintenance.before_delete")
    _delete_files(table.io, [one.manifest_list for one in gone])
    return len(gone)


def drop_outdated_tags(table: Table, now: datetime) -> Table:
    """Drop tags that are older than they may become: whoever made them is gone. Returns the table.

    Raises:
        TableBusyError: other writers came first for a minute; no tag was dropped.
    """

    def attempt() -> Table:
        found = table.catalog.load_table(table.name())
        tags = outdated_tags(found, now)
        if not tags:
            return found
        with found.manage_snapshots() as manage:
            for tag in tags:
                manage.remove_tag(tag)
        return found.refresh()

    return retry_commit(attempt, ".".join(table.name()))


def _forget(
    table: Table, wanted: Collection[int], seconds: float = SECONDS
) -> tuple[Table, list[Snapshot]]:
    """Take snapshots out of the metadata; return the table after that, and those that went."""

    def attempt() -> tuple[Table, list[Snapshot]]:
        found = table.catalog.load_table(table.name())
        held = {ref.snapshot_id for ref in found.metadata.refs.values()}
        doomed = [
            one
            for one in found.metadata.snapshots
            if one.snapshot_id in wanted and one.snapshot_id not in held
        ]
        if doomed:
            # Rebased over another commit, it would take a tag with it that this one made.
            disable_commit_retries(found)
            transaction = SteadyTransaction(found, autocommit=True)
            try:
                expire_snapshots(transaction).by_ids([one.snapshot_id for one in doomed]).commit()
            except ValueError as error:
                # Somebody else let the same snapshots go, between the look and the commit.
                raise CommitFailedException(str(error)) from error
        return found, doomed

    if not wanted:
        return table, []
    found, doomed = retry_commit(attempt, ".".join(table.name()), seconds)
    return (found.refresh(), doomed) if doomed else (found, [])


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
    doomed = [*_unneeded(table, gone.values(), kept.values()), *gone]
    doomed += [snapshot.manifest_list for snapshot in expired]
    _delete_files(io, doomed)
    return len(doomed)


def _unneeded(table: Table, gone: Iterable[ManifestFile], kept: Iterable[ManifestFile]) -> set[str]:
    """Return the files of `gone` that no manifest of `kept` names.

    A manifest that was written before all of these files came is not opened: that is most of a long
    history. But a file that was staged comes a second time, when it is published.
    """
    entries = [
        entry
        for manifest in gone
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    ]
    files = {entry.data_file.file_path for entry in entries}
    first = min((entry.sequence_number or 0 for entry in entries), default=0)
    staged = {one.snapshot_id for one in table.metadata.snapshots if is_staged(one)}
    for manifest in kept:
        if not files:
            break
        if manifest.sequence_number < first and manifest.added_snapshot_id not in staged:
            continue
        files -= {
            entry.data_file.file_path
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
        }
    return files


def _delete_files(io: FileIO, paths: Iterable[str]) -> None:
    for path in paths:
        try:
            io.delete(path)
        except FileNotFoundError:
            # Somebody else deleted it, or a sweep.
            continue
