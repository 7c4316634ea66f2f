"""Deleting hours of events that are kept no longer: their files leave main, and an account tells of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import polars as pl
from pyiceberg.exceptions import ValidationException
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Operation

from pipeline.clock import Clock
from pipeline.errors import TerminalError
from pipeline.failpoints import failpoint
from pipeline.ledger.retention import (
    RETENTION_PROPERTY,
    DeletedRows,
    RetentionAccount,
    retention_account,
)
from pipeline.maintenance.retention.plan import ExpiredHour, RetentionPlan, plan_retention
from pipeline.rows.frames import to_frame
from pipeline.tables.commit import disable_commit_retries
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.data_files.hourly import files_by_hour
from pipeline.tables.data_files.rewrite import MAINTENANCE_KEY, RETENTION, RewriteConflictError
from pipeline.tables.integrity.reading import reading
from pipeline.tables.pyiceberg_private import ReplaceFiles
from pipeline.tables.transaction import SteadyTransaction

_COORDINATES = ("_topic_partition", "_offset")
_ATTEMPTS = 5

Tasks = Mapping[datetime, Sequence[FileScanTask]]


class RowsDoubledError(TerminalError):
    """Coordinates stand more than once in an hour that was to be deleted; it was not."""


def read_retention(table: Table, horizon: datetime) -> RetentionPlan:
    """Return what `delete_expired` would delete. Opens the manifests of those hours, and no data file."""
    return _plan(files_by_hour(table, before=horizon), horizon)


def delete_expired(table: Table, horizon: datetime, clock: Clock) -> RetentionPlan:
    """Delete the rows of events in hours before `horizon`, and return what was deleted.

    Whole files leave main, some hours a commit, oldest first; how many rows of which partition went stands
    in `RETENTION_PROPERTY` from the same commit on. Their files stay for as long as a retained snapshot names
    them: whatever a tag, a staging or a planned scan reads is there. Of the files two columns are read.

    Made beside ingest, compaction and itself, and may be ended at any moment: what is not deleted yet is
    when it is done again, and nothing is counted twice. Rows that come to such an hour meanwhile stay
    until then.

    Raises:
        RowsDoubledError: coordinates stand twice in an hour; it and those after it stay.
        FileMissingError, FileDamagedError: rows that cannot be counted are not deleted.
        TableBusyError, RewriteConflictError: others came first, too often; what is done stays done.
    """
    done: list[ExpiredHour] = []
    for again in range(_ATTEMPTS):
        try:
            for hours in _delete(table, horizon, clock):
                done += hours
            break
        except RewriteConflictError:
            if again == _ATTEMPTS - 1:
                raise
            table = table.refresh()
    return RetentionPlan(horizon, tuple(done))


def _delete(table: Table, horizon: datetime, clock: Clock) -> Iterator[tuple[ExpiredHour, ...]]:
    tasks = files_by_hour(table, before=horizon)
    for planned in _plan(tasks, horizon).commits():
        hours = [one.hour for one in planned.hours]
        deleted = [one for hour in hours for one in _counted(table, hour, tasks[hour])]
        files = [task.file for hour in hours for task in tasks[hour]]
        _commit(table, files, planned.before, clock(), deleted)
        yield planned.hours


def _plan(tasks: Tasks, horizon: datetime) -> RetentionPlan:
    hours = (
        ExpiredHour(
            hour,
            sum(one.file.record_count for one in files),
            len(files),
            sum(one.file.file_size_in_bytes for one in files),
        )
        for hour, files in tasks.items()
    )
    return plan_retention(hours, horizon)


def _counted(table: Table, hour: datetime, files: Sequence[FileScanTask]) -> list[DeletedRows]:
    """Return how many rows of each partition `files` hold, all of one hour's."""
    columns = table.schema().select(*_COORDINATES)
    with reading(table):
        arrow = ArrowScan(table.metadata, table.io, columns, AlwaysTrue()).to_table(files)
    rows = to_frame(arrow)
    doubled = rows.height - rows.unique().height
    if doubled:
        raise RowsDoubledError(
            f"of hour {hour:%Y-%m-%dT%H}, which retention is to delete, {doubled:,} coordinates stand more "
            "than once: nobody could tell afterwards.",
            subject=".".join(table.name()),
            remedy="See `headwater ledger --verify`; this hour and those after it stay as they are.",
        )
    counts = rows.group_by("_topic_partition").agg(
        pl.len().alias("rows"),
        pl.col("_offset").min().alias("start"),
        (pl.col("_offset").max() + 1).alias("end"),
    )
    return [DeletedRows(*row) for row in counts.sort("_topic_partition").iter_rows()]


def _commit(
    table: Table,
    files: Sequence[DataFile],
    before: datetime,
    at: datetime,
    deleted: list[DeletedRows],
) -> None:
    """Take `files`, which hold the `deleted` rows, out of main, and add these to the table's account."""
    subject = ".".join(table.name())
    own = RetentionAccount().extended(before, at, deleted)

    def attempt() -> None:
        found = table.catalog.load_table(table.name())
        # Rebased over another retention, it would put its own account in place of both.
        disable_commit_retries(found)
        transaction = SteadyTransaction(found)
        said = {MAINTENANCE_KEY: RETENTION, RETENTION_PROPERTY: own.to_json()}
        with ReplaceFiles(transaction, found.io, said, None, Operation.DELETE) as going:
            for file in files:
                going.delete_data_file(file)
        whole = retention_account(found).extended(before, at, deleted)
        transaction.set_properties({RETENTION_PROPERTY: whole.to_json()})
        failpoint("retention.before_commit")
        transaction.commit_transaction()
        failpoint("retention.after_commit")

    try:
        retry_commit(attempt, subject)
    except ValidationException as error:
        raise RewriteConflictError(
            f"files of hours that are kept no longer were replaced by others ({error}).",
            subject=subject,
            remedy="Maintain it again: the next plan sees what is there now.",
        ) from error
