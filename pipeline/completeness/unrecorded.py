"""Rows of hours that a build has published and nobody has recorded yet: it goes on, or was killed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from pyiceberg.table import Table

from pipeline.table_changes.from_snapshots import changes_of
from pipeline.tables.data_files.hourly import added_rows_by_hour
from pipeline.tables.snapshots import main_history

Build = tuple[str, datetime]
"""Of one hour: the id that it was staged under, and the hour."""


def unrecorded_builds(
    table: Table, hours: Collection[datetime], recorded: Collection[Build], *, each: bool
) -> Iterator[tuple[datetime, int]]:
    """Yield the builds of `hours` on main since their last `recorded` one: hour and rows, newest first.

    Of an hour the last alone, or `each` where the table keeps them all. Reads what such builds have written
    of manifests.

    Raises: as `added_rows_by_hour`.
    """
    left = set(hours)
    changes = {one.snapshot_id: one for one in changes_of(table)}
    for snapshot in main_history(table):
        change = changes[snapshot.snapshot_id]
        own = left & {one.hour for one in change.hours}
        left -= {hour for hour in own if (change.wap_id, hour) in recorded}
        lacking = own & left
        rows = added_rows_by_hour(table, snapshot) if lacking else {}
        yield from ((hour, rows.get(hour, 0)) for hour in sorted(lacking))
        left -= set() if each else lacking
        if not left:
            return
