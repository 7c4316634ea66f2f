"""Whether the files that a table's current snapshot needs are there, and whole."""

from __future__ import annotations

from collections.abc import Iterator

from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, ManifestEntryStatus, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot

from pipeline.disk import FileDamagedError, FileMissingError
from pipeline.tables.errors import named_errors

NEWEST_FILES = 1_000
"""How many data files a look at a table is to look for: what it costs does not grow with the table."""


def check_readable(table: Table, *, files: int | None = NEWEST_FILES) -> None:
    """Raise if a file that main's current snapshot needs is away, or is not as long as it was written.

    Looked at are the manifest list, every manifest, and the data files of the newest manifests until
    `files` of them (None: all). NOT read are data files: bytes that have changed and are as many pass.

    Raises:
        FileMissingError, FileDamagedError: with the file.
        WarehouseUnavailableError: try again later.
    """
    subject = ".".join(table.name())
    with named_errors(subject):
        for file in data_files(table.current_snapshot(), table.io, subject, files):
            check_size(table.io, subject, "data file", file.file_path, file.file_size_in_bytes)


def check_last_commit(metadata: TableMetadata, io: FileIO, subject: str) -> None:
    """Raise if a file that the last commit to main wrote is away, or is not as long as it was written.

    Raises:
        FileMissingError, FileDamagedError: with the file.
    """
    snapshot = metadata.current_snapshot()
    if snapshot is None:
        return
    for manifest in _manifests(snapshot, io, subject):
        if manifest.added_snapshot_id == snapshot.snapshot_id:
            for file in _listed(manifest, io, subject, snapshot.snapshot_id):
                check_size(io, subject, "data file", file.file_path, file.file_size_in_bytes)


def data_files(
    snapshot: Snapshot | None, io: FileIO, subject: str, at_most: int | None
) -> Iterator[DataFile]:
    """Yield a snapshot's data files, those of the newest manifests first."""
    if snapshot is None:
        return
    left = at_most
    newest = sorted(_manifests(snapshot, io, subject), key=lambda m: -m.sequence_number)
    for manifest in newest:
        if left is not None:
            left -= (manifest.added_files_count or 0) + (manifest.existing_files_count or 0)
            if left < 0:
                return
        yield from _listed(manifest, io, subject)


def _manifests(snapshot: Snapshot, io: FileIO, subject: str) -> list[ManifestFile]:
    """Return the manifests of a snapshot, each of which is there and as long as it was written."""
    # Looked for first: the library remembers lists that it has read.
    check_size(io, subject, "manifest list", snapshot.manifest_list)
    try:
        manifests = snapshot.manifests(io)
    except Exception as error:
        raise damaged(subject, "manifest list", snapshot.manifest_list, str(error)) from error
    for manifest in manifests:
        check_size(io, subject, "manifest", manifest.manifest_path, manifest.manifest_length)
    return manifests


def _listed(
    manifest: ManifestFile, io: FileIO, subject: str, added_by: int | None = None
) -> Iterator[DataFile]:
    """Yield the files that a manifest lists, those that one snapshot added if given."""
    try:
        entries = manifest.fetch_manifest_entry(io, discard_deleted=True)
    except Exception as error:
        raise damaged(subject, "manifest", manifest.manifest_path, str(error)) from error
    for entry in entries:
        if added_by is None or (
            entry.status is ManifestEntryStatus.ADDED and entry.snapshot_id in (None, added_by)
        ):
            yield entry.data_file


def check_size(io: FileIO, subject: str, kind: str, path: str, size: int | None = None) -> None:
    """Raise if a file is away, or is not `size` bytes long where that is known.

    Raises:
        FileMissingError, FileDamagedError: with the file.
    """
    try:
        found = len(io.new_input(path))
    except FileNotFoundError:
        raise FileMissingError(
            f"the {kind} {path} is gone from the warehouse.",
            subject=subject,
            remedy="Restore the file from a backup: without it the table cannot be read whole.",
        ) from None
    if found != size and size is not None:
        raise damaged(subject, kind, path, f"{found:,} bytes, and {size:,} were written")


def damaged(subject: str, kind: str, path: str, how: str) -> FileDamagedError:
    """Return the error of a table's file that is there and is not what was written."""
    return FileDamagedError(
        f"the {kind} {path} is damaged ({how}).",
        subject=subject,
        remedy="Restore the file from a backup: without it the table cannot be read whole.",
    )
