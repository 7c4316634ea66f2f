"""Which data files a compaction has to look at: those of partitions that files have come to since."""

from __future__ import annotations

from collections.abc import Iterable

from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.table import Table

from pipeline.tables.data_files.hourly import partition_bounds

Partition = tuple[int, str]
"""Spec id and values."""


def all_files(table: Table) -> list[DataFile]:
    """Return main's data files. Opens every manifest."""
    return [file for manifest in _manifests(table) for file in _files(manifest, table.io)]


def touched_files(table: Table) -> list[DataFile]:
    """Return main's data files of the partitions that files have come to since manifests were merged.

    A file is added by a manifest of its commit, which says so until it is merged. Others are looked into only
    if they may name files of such a partition.
    """
    manifests = _manifests(table)
    found = [file for one in manifests if one.added_files_count for file in _files(one, table.io)]
    touched = {_partition(file) for file in found}
    added = tuple(found)
    for manifest in manifests:
        if not manifest.added_files_count and _may_hold(manifest, added):
            found += [one for one in _files(manifest, table.io) if _partition(one) in touched]
    return found


def _manifests(table: Table) -> list[ManifestFile]:
    snapshot = table.current_snapshot()
    return [] if snapshot is None else snapshot.manifests(table.io)


def _files(manifest: ManifestFile, io: FileIO) -> list[DataFile]:
    return [entry.data_file for entry in manifest.fetch_manifest_entry(io, discard_deleted=True)]


def _partition(file: DataFile) -> Partition:
    return file.spec_id, repr(file.partition)


def _may_hold(manifest: ManifestFile, files: Iterable[DataFile]) -> bool:
    """Whether a manifest may name files of the partition of one of `files`, by its bounds."""
    mine = [file.partition for file in files if file.spec_id == manifest.partition_spec_id]
    if not mine:
        return False
    bounds = partition_bounds(manifest)
    if bounds is None:
        return True
    low, high = bounds
    return any(not isinstance(one[0], int) or low <= one[0] <= high for one in mine)
