"""Which hours of event time have rows, told by a table's metadata alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyiceberg.expressions import AlwaysTrue
from pyiceberg.table import Table

from pipeline.errors import TerminalError
from pipeline.tables.readable import reading

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotHourlyError(TerminalError):
    """The table is not partitioned by hour alone."""


def rows_by_hour(table: Table, since: datetime | None = None) -> dict[datetime, int]:
    """Return rows by hour in main's current snapshot, oldest hour first; reads no data file.

    Of the hours from `since` on, if it is given: then only manifests that may have some are opened.

    Raises:
        NotHourlyError: the partitioning is another.
    """
    if table.current_snapshot() is None:
        return {}
    fields = table.spec().fields
    if len(fields) != 1 or str(fields[0].transform) != "hour":
        raise NotHourlyError(
            f"it is partitioned by {table.spec()}, not by one hour transform.",
            subject=".".join(table.name()),
            remedy="Restore the partitioning that docs/reference/format.md gives.",
        )
    column = table.schema().find_column_name(fields[0].source_id)
    rows: dict[datetime, int] = {}
    scan = table.scan(AlwaysTrue() if since is None else f"{column} >= '{since.isoformat()}'")
    with reading(table):
        tasks = list(scan.plan_files())
    for task in tasks:
        hour = EPOCH + timedelta(hours=task.file.partition[0])
        rows[hour] = rows.get(hour, 0) + task.file.record_count
    return dict(sorted(rows.items()))
