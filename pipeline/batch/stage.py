"""Writing one hour of an aggregate where no reader sees it yet."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from py4j.protocol import Py4JError
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.errors import (
    AggregateSqlError,
    EmptiedHourError,
    SourceExpiredError,
    SparkFailedError,
    first_line,
)
from pipeline.batch.model import Staged
from pipeline.batch.session import own_session, rows_at, table_name
from pipeline.batch.tags import protect
from pipeline.batch.target import HOUR_COLUMN, fit_target
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.model import Aggregate, Product
from pipeline.failpoints import failpoint
from pipeline.hours.rows import rows_by_hour
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import CONTRACT_VERSION_KEY, RUN_ID_KEY
from pipeline.tables.layout import aggregate_table, events_table

WAP_ID_KEY = "wap.id"
HOUR_KEY = "headwater.hour"
SOURCE_KEY = "headwater.source-snapshot-id"
EXPECTATIONS_KEY = "headwater.expectations"


def stage_hour(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    aggregate: Aggregate,
    hour: datetime,
    source_snapshot_id: int,
    *,
    run_id: str,
) -> Staged:
    """Compute one hour from a snapshot of events and write it off main.

    Creates the aggregate's table where it is absent. The staging and main as it was are tagged, so
    that expiry leaves them; tags of an earlier staging of the hour are dropped. Not idempotent: each
    call is a staging of its own. Any number may run at once, in threads and processes.

    Raises:
        SourceExpiredError: events has no such snapshot any more.
        AggregateSqlError: the statement does not fit its input or its table.
        EmptiedHourError: the hour has no rows now, and has some on main.
        SparkFailedError: Spark gave up for another reason.
        TableMissingError: the product was never ingested in this cell.
    """
    identifier = aggregate_table(product.name, aggregate.name)
    subject = f"{cell.name}.{identifier} hour {hour:%Y-%m-%dT%H}"
    events = load_table(cell, events_table(product.name))
    if events.metadata.snapshot_by_id(source_snapshot_id) is None:
        raise SourceExpiredError(
            f"snapshot {source_snapshot_id} of events has expired.",
            subject=subject,
            remedy="Look at the hours again and build from the snapshot that main has now.",
        )
    wap_id = uuid.uuid4().hex
    # Settings are per session: two stagings that shared one would share its wap id.
    session = own_session(spark, cell)
    session.conf.set("spark.wap.id", wap_id)
    summary = {
        HOUR_KEY: hour.isoformat(),
        SOURCE_KEY: str(source_snapshot_id),
        CONTRACT_VERSION_KEY: product.version,
        RUN_ID_KEY: run_id,
        EXPECTATIONS_KEY: str(len(aggregate.expectations)),
    }
    try:
        frame = compute_hour(session, cell, product, aggregate, hour, source_snapshot_id)
        frame = fit_target(session, cell, identifier, aggregate, frame)
        failpoint("hour.before_stage")
        writer = frame.writeTo(table_name(cell, identifier))
        for key, value in summary.items():
            writer = writer.option(f"snapshot-property.{key}", value)
        writer.overwritePartitions()
    except AnalysisException as error:
        raise AggregateSqlError(
            f"its statement cannot run ({first_line(error)}).",
            subject=subject,
            remedy="Correct the statement in the product's contract.",
        ) from error
    except (Py4JError, PySparkException) as error:
        raise SparkFailedError(
            f"it could not be staged ({first_line(error)}).",
            subject=subject,
            remedy="Main is as it was; build the hour again.",
        ) from error
    failpoint("hour.after_stage")
    table = load_table(cell, identifier)
    staged = _find(table, wap_id)
    if staged is not None:
        protect(cell, staged)
        return staged
    if rows_by_hour(table).get(hour):
        raise EmptiedHourError(
            "it has rows on main, and the statement now gives none.",
            subject=subject,
            remedy="Delete the hour from the table by hand if that is meant.",
        )
    return Staged(
        table=identifier,
        hour=hour,
        wap_id=wap_id,
        source_snapshot_id=source_snapshot_id,
        snapshot_id=None,
        base_snapshot_id=table.metadata.current_snapshot_id,
        rows=0,
        contract_version=product.version,
        run_id=run_id,
        expectations=len(aggregate.expectations),
    )


def compute_hour(
    session: SparkSession,
    cell: Cell,
    product: Product,
    aggregate: Aggregate,
    hour: datetime,
    source_snapshot_id: int,
) -> DataFrame:
    """Return what the aggregate's statement gives for one hour, with the column `hour`.

    Defines the view `events` in `session`: the rows of the hour in that snapshot of events.

    Raises:
        pyspark.errors.AnalysisException: the statement does not fit the events table.
        AggregateSqlError: the statement itself gives a column `hour`.
    """
    events = rows_at(session, cell, events_table(product.name), source_snapshot_id)
    of_hour = f"_event_time >= {_literal(hour)} AND _event_time < {_literal(hour + HOUR)}"
    events.where(of_hour).createOrReplaceTempView("events")
    frame = session.sql(aggregate.sql)
    if HOUR_COLUMN in (column.lower() for column in frame.columns):
        raise AggregateSqlError(
            f"its statement gives a column {HOUR_COLUMN!r}, which the engine adds.",
            subject=f"{product.name}.{aggregate.name}",
            remedy="Rename the column in the statement.",
        )
    return frame.withColumn(HOUR_COLUMN, sf.expr(_literal(hour)))


def staged_frame(session: SparkSession, cell: Cell, staged: Staged) -> DataFrame:
    """Return the rows of a staging: those of its hour in its snapshot.

    Raises:
        ValueError: the hour has no rows, so there is no snapshot.
    """
    if staged.snapshot_id is None:
        raise ValueError(f"{staged.table} {staged.hour.isoformat()} has no rows")
    rows = rows_at(session, cell, staged.table, staged.snapshot_id)
    return rows.where(f"`{HOUR_COLUMN}` = {_literal(staged.hour)}")


def stagings(table: Table) -> tuple[Staged, ...]:
    """Return every retained staging of a table, published or not, oldest first."""
    found = (_read(table, snapshot) for snapshot in table.metadata.snapshots)
    return tuple(staged for staged in found if staged is not None)


def _find(table: Table, wap_id: str) -> Staged | None:
    return next((staged for staged in stagings(table) if staged.wap_id == wap_id), None)


def _read(table: Table, snapshot: Snapshot) -> Staged | None:
    summary = snapshot.summary.additional_properties if snapshot.summary else {}
    # A cherry-picked snapshot has neither key: what it was made from has both.
    if WAP_ID_KEY not in summary or HOUR_KEY not in summary:
        return None
    return Staged(
        table=".".join(table.name()),
        hour=datetime.fromisoformat(summary[HOUR_KEY]),
        wap_id=summary[WAP_ID_KEY],
        source_snapshot_id=int(summary[SOURCE_KEY]),
        snapshot_id=snapshot.snapshot_id,
        base_snapshot_id=snapshot.parent_snapshot_id,
        rows=int(summary.get("added-records", 0)),
        contract_version=summary[CONTRACT_VERSION_KEY],
        run_id=summary[RUN_ID_KEY],
        expectations=int(summary[EXPECTATIONS_KEY]),
    )


def _literal(instant: datetime) -> str:
    return f"TIMESTAMP '{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00:00'"
