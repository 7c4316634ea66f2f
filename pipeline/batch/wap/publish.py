"""Making a staged hour what readers see, at once and at most once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from py4j.protocol import Py4JError
from pyiceberg.table import Table
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.model import Staged
from pipeline.batch.wap.stagings import WAP_ID_KEY, stagings
from pipeline.cells import Cell
from pipeline.spark.errors import VALIDATION, SparkFailedError, first_line, java_class, spark_failed
from pipeline.spark.session import own_session
from pipeline.tables.catalog import load_table
from pipeline.tables.snapshots import main_history

PUBLISHED_KEY = "published-wap-id"


def publish(spark: SparkSession, cell: Cell, staged: Staged) -> int | None:
    """Put a staging on main; return main's snapshot that did, or None for an hour without rows.

    Atomic: readers see the whole hour or what they saw before. Idempotent: a staging that is on main
    already is left there, and its snapshot returned.

    Raises:
        StagingOutdatedError: the hour changed on main since it was staged, or the staging has
            expired; main is as it was, and the hour is to be staged again.
        SparkFailedError: it is not on main, and Spark gave up for another reason.
    """
    if staged.snapshot_id is None:
        return None
    subject = f"{cell.name}.{staged.table} hour {staged.hour:%Y-%m-%dT%H}"
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
                remedy="Main is as it was; stage the hour again.",
            ) from error
        raise spark_failed(error, "it could not be published", subject, cell) from error
    found = published_as(load_table(cell, staged.table), staged.wap_id)
    if found is None:
        raise SparkFailedError(
            "it was published, and main does not show it: main was rolled back meanwhile.",
            subject=subject,
            remedy="Build the hour again.",
        )
    return found


def published_unrecorded(
    table: Table, recorded: Collection[str], hour: datetime | None = None
) -> Iterator[tuple[Staged, int]]:
    """Yield stagings that main has and `recorded` (wap ids) lacks, and main's snapshots; of `hour` alone."""
    for staged in stagings(table):
        if staged.wap_id in recorded or hour not in (None, staged.hour):
            continue
        snapshot_id = published_as(table, staged.wap_id)
        if snapshot_id is not None:
            yield staged, snapshot_id


def published_as(table: Table, wap_id: str) -> int | None:
    """Return the snapshot of main that published a staging, or None if none of those retained did."""
    for snapshot in main_history(table):
        summary = snapshot.summary.additional_properties if snapshot.summary else {}
        # On an unmoved main a staging is not copied: it becomes main's snapshot itself.
        if wap_id in (summary.get(PUBLISHED_KEY), summary.get(WAP_ID_KEY)):
            return snapshot.snapshot_id
    return None
