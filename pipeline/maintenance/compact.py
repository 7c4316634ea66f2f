"""Making large files of small ones. Rows stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from pipeline.maintenance.plan import File, FileRewrite, MaintenancePolicy, plan_rewrites
from pipeline.tables.commit import write_files
from pipeline.tables.data_files.manifests import due_merges
from pipeline.tables.data_files.read import read_files
from pipeline.tables.data_files.rewrite import rewrite
from pipeline.tables.data_files.touched import all_files, touched_files
from pipeline.tables.data_files.write import write_hours
from pipeline.tables.layout import EVENT_HOUR


@dataclass(frozen=True)
class CompactionResult:
    """What a compaction did: files before and after, and the manifests that are left."""

    files: int = 0
    into: int = 0


def plan_compaction(
    table: Table, policy: MaintenancePolicy, *, whole: bool = True
) -> tuple[FileRewrite, ...]:
    """Return what `compact` would rewrite of main's current snapshot."""
    return plan_rewrites(map(_file, _candidates(table, whole=whole)), policy)


def compact(table: Table, policy: MaintenancePolicy, *, whole: bool = True) -> CompactionResult:
    """Rewrite the small files of `table`, a partition at a time, and merge its manifests.

    Unless the `whole` table is asked for, only partitions are looked at that files have come to since its
    manifests were merged: then the cost does not depend on how many partitions there are. Each rewriting is
    one commit; when it fails, those before it stay. The rows, the offsets and the order within files are
    what they were.

    Raises:
        RewriteConflictError: somebody else replaced the same files.
        RowsDifferError: the rewritten files do not hold as many rows.
        WarehouseUnavailableError: files could not be written.
    """
    files = into = 0
    candidates = {file.file_path: file for file in _candidates(table, whole=whole)}
    planned = plan_rewrites(map(_file, candidates.values()), policy)
    for number, rewriting in enumerate(planned):
        old = [candidates[file.path] for file in rewriting.files]
        new = _rewritten(table, old)
        # Merged with the last one only: every merging reads all manifests that it merges.
        last = number == len(planned) - 1
        rewrite(table, old, new, policy.min_manifests if last else None)
        files, into = files + len(old), into + len(new)
        table = table.refresh()
    snapshot = table.current_snapshot()
    if not planned and snapshot is not None:
        lengths = [one.manifest_length for one in snapshot.manifests(table.io)]
        if due_merges(lengths, policy.min_manifests):
            rewrite(table, (), (), policy.min_manifests)
    return CompactionResult(files, into)


def _rewritten(table: Table, files: list[DataFile]) -> tuple[DataFile, ...]:
    rows = read_files(table, files)
    if [field.name for field in table.spec().fields] == [EVENT_HOUR]:
        frame = pl.from_arrow(rows)
        if not isinstance(frame, pl.DataFrame):
            raise TypeError("a table becomes a frame")
        return write_hours(table, [frame])
    return write_files(table, rows)


def _candidates(table: Table, *, whole: bool) -> list[DataFile]:
    return all_files(table) if whole else touched_files(table)


def _file(file: DataFile) -> File:
    return File(file.file_path, f"{file.spec_id} {file.partition!r}", file.file_size_in_bytes)
