"""Which hours of event time have rows, told by a table's metadata alone."""

from __future__ import annotations

from datetime import datetime

from pyiceberg.table import Table

from pipeline.tables.data_files.hourly import files_by_hour


def rows_by_hour(
    table: Table, since: datetime | None = None, before: datetime | None = None
) -> dict[datetime, int]:
    """Return rows by hour in main's current snapshot, oldest hour first; reads no data file.

    Of the hours from `since` on, and of those before `before`, if these are given: then only manifests that
    may have some are opened.

    Raises:
        NotHourlyError: the partitioning is another.
    """
    return {
        hour: sum(task.file.record_count for task in tasks)
        for hour, tasks in files_by_hour(table, since, before).items()
    }
