"""Making large files of small ones. Rows stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table

from pipeline.maintenance.plan import File, FileRewrite, MaintenancePolicy, plan_rewrites
from pipeline.tables.commit import write_files
from pipeline.tables.data_files.read import read_files
from pipeline.tables.data_files.rewrite import rewrite
from pipeline.tables.data_files.write import write_hours
from pipeline.tables.layout import EVENT_HOUR


@dataclass(frozen=True)
class CompactionResult:
    """What a compaction did: files before and after, and the manifests that are left."""

    files: int = 0
    into: int = 0


def plan_compaction(table: Table, policy: MaintenancePolicy) -> tuple[FileRewrite, ...]:
    """Return what `compact` would rewrite of main's current snapshot."""
    return plan_rewrites((_file(task.file) for task in _tasks(table).values()), policy)


def compact(table: Table, policy: MaintenancePolicy) -> CompactionResult:
    """Rewrite the small files of `table`, a partition at a time, and merge its manifests.

    Each rewriting is one commit; when it fails, those before it stay. The rows, the offsets and the
    order within files are what they were.

    Raises:
        RewriteConflictError: somebody else replaced the same files.
        RowsDifferError: the rewritten files do not hold as many rows.
        WarehouseUnavailableError: files could not be written.
    """
    files = into = 0
    planned = plan_compaction(table, policy)
    for number, rewriting in enumerate(planned):
        tasks = _tasks(table)
        old = [tasks[file.path] for file in rewriting.files]
        new = _rewritten(table, old)
        # Merged with the last one only: every merging reads all manifests.
        last = number == len(planned) - 1
        rewrite(table, [t.file for t in old], new, policy.min_manifests if last else 1 << 30)
        files, into = files + len(old), into + len(new)
        table = table.refresh()
    snapshot = table.current_snapshot()
    if not planned and snapshot and len(snapshot.manifests(table.io)) >= policy.min_manifests:
        rewrite(table, (), (), policy.min_manifests)
    return CompactionResult(files, into)


def _rewritten(table: Table, tasks: list[FileScanTask]) -> tuple[DataFile, ...]:
    rows = read_files(table, (task.file for task in tasks))
    if [field.name for field in table.spec().fields] == [EVENT_HOUR]:
        frame = pl.from_arrow(rows)
        if not isinstance(frame, pl.DataFrame):
            raise TypeError("a table becomes a frame")
        return write_hours(table, [frame])
    return write_files(table, rows)


def _tasks(table: Table) -> Mapping[str, FileScanTask]:
    return {task.file.file_path: task for task in table.scan().plan_files()}


def _file(file: DataFile) -> File:
    return File(file.file_path, f"{file.spec_id} {file.partition!r}", file.file_size_in_bytes)
