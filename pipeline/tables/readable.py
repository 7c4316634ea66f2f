"""Whether the files that a table's current snapshot needs are there, and whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, ManifestEntryStatus, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot

from pipeline.disk import FileDamagedError, FileMissingError
from pipeline.errors import HeadwaterError
from pipeline.tables.errors import WarehouseUnavailableError, named_errors

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
        for file in _data_files(table.current_snapshot(), table.io, subject, files):
            _check_size(table.io, subject, "data file", file.file_path, file.file_size_in_bytes)


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
                _check_size(io, subject, "data file", file.file_path, file.file_size_in_bytes)


@contextmanager
def reading(table: Table, snapshot_id: int | None = None) -> Iterator[None]:
    """Name the file at fault where the block, which reads `table`, ends in an error without a name.

    Then all that the snapshot needs, main's current one by default, is read, file by file. Errors that are
    not a file's are passed on as they are.

    Raises:
        FileMissingError, FileDamagedError: with the file.
        WarehouseUnavailableError: a file is away because the snapshot has expired meanwhile: read anew.
    """
    try:
        yield
    except HeadwaterError:
        raise
    except Exception as error:
        # Libraries make errors of all kinds of broken bytes, and few of them name the file.
        try:
            _read_all(table, snapshot_id)
        except FileMissingError as missing:
            _read_all(table.catalog.load_table(table.name()), snapshot_id)
            raise WarehouseUnavailableError(
                f"a snapshot expired while it was read: {missing.what}",
                subject=missing.subject,
                remedy="Read the table anew; nothing is lost.",
            ) from error
        raise


def _read_all(table: Table, snapshot_id: int | None) -> None:
    """Read every file of a snapshot, main's current one for None; nothing of one that has expired."""
    subject = ".".join(table.name())
    snapshot = (
        table.current_snapshot()
        if snapshot_id is None
        else table.metadata.snapshot_by_id(snapshot_id)
    )
    with named_errors(subject):
        for file in _data_files(snapshot, table.io, subject, None):
            path = file.file_path
            _check_size(table.io, subject, "data file", path, file.file_size_in_bytes)
            try:
                with table.io.new_input(path).open() as stream:
                    for _ in pq.ParquetFile(stream).iter_batches():
                        pass
            except Exception as error:
                raise _damaged(subject, "data file", path, str(error)) from error


def _data_files(
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
    _check_size(io, subject, "manifest list", snapshot.manifest_list)
    try:
        manifests = snapshot.manifests(io)
    except Exception as error:
        raise _damaged(subject, "manifest list", snapshot.manifest_list, str(error)) from error
    for manifest in manifests:
        _check_size(io, subject, "manifest", manifest.manifest_path, manifest.manifest_length)
    return manifests


def _listed(
    manifest: ManifestFile, io: FileIO, subject: str, added_by: int | None = None
) -> Iterator[DataFile]:
    """Yield the files that a manifest lists, those that one snapshot added if given."""
    try:
        entries = manifest.fetch_manifest_entry(io, discard_deleted=True)
    except Exception as error:
        raise _damaged(subject, "manifest", manifest.manifest_path, str(error)) from error
    for entry in entries:
        if added_by is None or (
            entry.status is ManifestEntryStatus.ADDED and entry.snapshot_id in (None, added_by)
        ):
            yield entry.data_file


def _check_size(io: FileIO, subject: str, kind: str, path: str, size: int | None = None) -> None:
    try:
        found = len(io.new_input(path))
    except FileNotFoundError:
        raise FileMissingError(
            f"the {kind} {path} is gone from the warehouse.",
            subject=subject,
            remedy="Restore the file from a backup: without it the table cannot be read whole.",
        ) from None
    if found != size and size is not None:
        raise _damaged(subject, kind, path, f"{found:,} bytes, and {size:,} were written")


def _damaged(subject: str, kind: str, path: str, how: str) -> FileDamagedError:
    return FileDamagedError(
        f"the {kind} {path} is damaged ({how}).",
        subject=subject,
        remedy="Restore the file from a backup: without it the table cannot be read whole.",
    )
