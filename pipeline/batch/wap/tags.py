"""Tags that keep a staging, and main as it was staged on, from expiry until its hours are published."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import TypeVar

from pyiceberg.table import Table

from pipeline.batch.model import Staged
from pipeline.cells import Cell
from pipeline.tables.catalog import load_table
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.layout import BASE_TAG, STAGING_TAG

SERVED = "served"
"""The tag of a feature table that readers read."""

Result = TypeVar("Result")


def protect(cell: Cell, staged: Staged, hours: Collection[datetime]) -> None:
    """Tag a staging and its base under each of `hours`; drop the tags of earlier stagings of its hours.

    All in one commit, or none.

    Raises:
        TableBusyError: other writers came first for a minute; no tag has changed.
    """
    wanted = {
        f"{kind}-{_hour(hour)}-{staged.wap_id}": snapshot_id
        for hour in hours
        for kind, snapshot_id in (
            (STAGING_TAG, staged.snapshot_id),
            (BASE_TAG, staged.base_snapshot_id),
        )
        if snapshot_id is not None
    }

    def change(table: Table) -> None:
        old = _tags(table, staged.starts) - set(wanted)
        with table.manage_snapshots() as manage:
            for tag, snapshot_id in wanted.items():
                manage.create_tag(snapshot_id, tag)
            for tag in old:
                manage.remove_tag(tag)

    _retrying(cell, staged.table, change)


def release(cell: Cell, identifier: str, hours: Collection[datetime]) -> None:
    """Drop the tags of every staging that is tagged under one of `hours`, if there are any. Idempotent.

    Raises:
        TableBusyError: other writers came first for a minute; no tag was dropped.
    """

    def change(table: Table) -> None:
        tags = _tags(table, hours)
        if not tags:
            return
        with table.manage_snapshots() as manage:
            for tag in tags:
                manage.remove_tag(tag)

    _retrying(cell, identifier, change)


def serve(cell: Cell, identifier: str) -> int | None:
    """Put the tag `served` on what main has now, and return that snapshot.

    Raises:
        TableBusyError: other writers came first for a minute; the tag is where it was.
    """

    def change(table: Table) -> int | None:
        snapshot_id = table.metadata.current_snapshot_id
        if snapshot_id is not None:
            with table.manage_snapshots() as manage:
                manage.create_tag(snapshot_id, SERVED)
        return snapshot_id

    return _retrying(cell, identifier, change)


def _tags(table: Table, hours: Iterable[datetime]) -> set[str]:
    marks = {_hour(hour) for hour in hours}
    found = set()
    for name in table.metadata.refs:
        kind, _, mark = name.partition("-")
        if kind in (STAGING_TAG, BASE_TAG) and mark.partition("-")[0] in marks:
            found.add(name)
    return found


def _hour(hour: datetime) -> str:
    return hour.strftime("%Y%m%dT%H")


def _retrying(cell: Cell, identifier: str, change: Callable[[Table], Result]) -> Result:
    return retry_commit(lambda: change(load_table(cell, identifier)), f"{cell.name}.{identifier}")
