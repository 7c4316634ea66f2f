"""Making staged hours what readers see, at once and at most once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from py4j.protocol import Py4JError
from pyiceberg.table import Table
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pipeline.batch.context import hours_named
from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.model import Staged
from pipeline.batch.wap.stagings import stagings
from pipeline.cells import Cell
from pipeline.spark.errors import VALIDATION, SparkFailedError, first_line, java_class, spark_failed
from pipeline.spark.session import own_session
from pipeline.table_changes.staged_summary import PUBLISHED_KEY, WAP_ID_KEY
from pipeline.tables.catalog import load_table
from pipeline.tables.data_files.hourly import files_of
from pipeline.tables.snapshots import main_history

Recorded = Callable[[str, datetime], bool]
"""Tells whether a publication of a staging's id and an hour is recorded."""


def publish(spark: SparkSession, cell: Cell, staged: Staged) -> int | None:
    """Put a staging on main; return main's snapshot that did, or None where no hour has rows.

    Atomic: readers see all of its hours whole or what they saw before. Idempotent: a staging that is on main
    already is left there, and its snapshot returned.

    Raises:
        StagingOutdatedError: one of the hours changed on main since they were staged, or the staging has
            expired; main is as it was, and the hours are to be staged again.
        SparkFailedError: it is not on main, and Spark gave up for another reason.
    """
    if staged.snapshot_id is None:
        return None
    subject = f"{cell.name}.{staged.table} {hours_named(staged.starts)}"
    try:
        own_session(spark, cell).sql(
            f"CALL `{cell.name}`.system.publish_changes("
            f"table => '{cell.name}.{staged.table}', wap_id => '{staged.wap_id}')"
        )
    except (Py4JError, PySparkException) as error:
        # Whatever was raised, a refusal of the second time or a lost answer: the table tells.
        found = published_as(load_table(cell, staged.table), staged.wap_id)
        if found is not None:
            return found
        if java_class(error) == VALIDATION:
            raise StagingOutdatedError(
                f"it cannot be published as staged ({first_line(error)}).",
                subject=subject,
                remedy="Main is as it was; stage again.",
            ) from error
        raise spark_failed(error, "it could not be published", subject, cell) from error
    found = published_as(load_table(cell, staged.table), staged.wap_id)
    if found is None:
        raise SparkFailedError(
            "it was published, and main does not show it: main was rolled back meanwhile.",
            subject=subject,
            remedy="Build again.",
        )
    return found


def refuse_changed(cell: Cell, staged: Staged) -> None:
    """Refuse a staging of which main had other files of some hour when it was written than at its base.

    For one that was staged again of an earlier one, and whose base is the earlier one's: that main changed
    after it was written, `publish` finds.

    Raises:
        StagingOutdatedError: the hours are to be computed again.
    """
    table = load_table(cell, staged.table)
    written = table.metadata.snapshot_by_id(staged.snapshot_id or 0)
    parent = None if written is None else written.parent_snapshot_id
    if parent == staged.base_snapshot_id:
        return
    was, found = (files_of(table, one, staged.starts) for one in (staged.base_snapshot_id, parent))
    if was != found:
        raise StagingOutdatedError(
            "main has changed since it was computed.",
            subject=f"{cell.name}.{staged.table} {hours_named(staged.starts)}",
            remedy="Main is as it was; stage again.",
        )


def published_unrecorded(
    table: Table, recorded: Recorded, hours: Collection[datetime] | None = None
) -> Iterator[tuple[Staged, int]]:
    """Yield stagings that main has, of the hours alone that `recorded` lacks, and main's snapshots.

    Of `hours`, if they are given.
    """
    published = _published(table)

    def is_lacking(wap_id: str, hour: datetime) -> bool:
        return (
            wap_id in published and (hours is None or hour in hours) and not recorded(wap_id, hour)
        )

    for staged in stagings(table, is_lacking):
        # Of an hour without rows nothing was published: what main has of it may be of an earlier build.
        lacking = staged.only(staged.with_rows)
        if lacking.hours:
            yield lacking, published[staged.wap_id]


def published_as(table: Table, wap_id: str) -> int | None:
    """Return the snapshot of main that published a staging, or None if none of those retained did."""
    return _published(table).get(wap_id)


def _published(table: Table) -> dict[str, int]:
    """Return, by the id of each staging that main's retained snapshots have published, which one did."""
    found: dict[str, int] = {}
    for snapshot in main_history(table):
        summary = snapshot.summary.additional_properties if snapshot.summary else {}
        # On an unmoved main a staging is not copied: it becomes main's snapshot itself.
        for key in (PUBLISHED_KEY, WAP_ID_KEY):
            if key in summary:
                found.setdefault(summary[key], snapshot.snapshot_id)
    return found
