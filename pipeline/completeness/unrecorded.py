"""Rows of hours that a build has published and nobody has recorded yet: it goes on, or was killed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.table_changes.staged_summary import PUBLISHED_KEY, WAP_ID_KEY, staged_hours
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
    stagings = {
        said[WAP_ID_KEY]: one
        for one in table.metadata.snapshots
        if WAP_ID_KEY in (said := _summary(one))
    }
    for snapshot in main_history(table):
        said = _summary(snapshot)
        # On an unmoved main a staging is not copied: it becomes main's snapshot itself.
        wap_id = said.get(PUBLISHED_KEY) or said.get(WAP_ID_KEY) or ""
        of_build = staged_hours(_summary(stagings.get(wap_id, snapshot)))
        own = left & set(of_build)
        left -= {hour for hour in own if (wap_id, hour) in recorded}
        lacking = own & left
        rows = added_rows_by_hour(table, snapshot) if lacking else {}
        yield from ((hour, rows.get(hour, 0)) for hour in sorted(lacking))
        left -= set() if each else lacking
        if not left:
            return


def _summary(snapshot: Snapshot) -> Mapping[str, str]:
    return {} if snapshot.summary is None else snapshot.summary.additional_properties
