"""Writing rows where no reader sees them yet."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.types import ArrayType, MapType, StructType

from pipeline.batch.compute.hour import compute_hour, literal
from pipeline.batch.context import HourContext
from pipeline.batch.errors import EmptiedHourError, LogicError, SourceExpiredError
from pipeline.batch.model import Staged
from pipeline.batch.planning.stages import expectations
from pipeline.batch.wap.stagings import find_staging, summary_of
from pipeline.batch.wap.tags import protect
from pipeline.batch.wap.target import Target, fit_target, hourly_target
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable
from pipeline.failpoints import failpoint
from pipeline.hours.rows import rows_by_hour
from pipeline.spark.errors import first_line, spark_failed
from pipeline.spark.session import rows_at, table_name
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import BUILD_COLUMN, HOUR_COLUMN, events_table


def stage_hour(context: HourContext) -> Staged:
    """Compute one hour from pinned inputs and write it off main.

    Creates the table where it is absent. The staging and main as it was are tagged, so that expiry
    leaves them; tags of an earlier staging of the hour are dropped. Not idempotent: each call is a
    staging of its own. Any number may run at once, in threads and processes.

    Raises:
        SourceExpiredError: events has no such snapshot any more.
        LogicError: the logic fails, or does not fit its inputs or its table.
        EmptiedHourError: the hour has no rows now, and has some on main.
        SparkFailedError: Spark gave up for another reason.
        TableMissingError: the product was never ingested in this cell.
    """
    cell, derived_table, source = context.cell, context.derived_table, context.source
    target = hourly_target(context.product, derived_table)
    events = load_table(cell, events_table(context.product.name))
    if events.metadata.snapshot_by_id(source.snapshot_id) is None:
        raise SourceExpiredError(
            f"snapshot {source.snapshot_id} of events has expired.",
            subject=context.subject,
            remedy="Look at the hours again and build from the snapshot that main has now.",
        )
    wanted = Staged(
        table=target.identifier,
        hour=context.hour,
        wap_id=uuid.uuid4().hex,
        source_snapshot_id=source.snapshot_id,
        snapshot_id=None,
        base_snapshot_id=None,
        rows=0,
        contract_version=derived_table.version,
        run_id=context.run_id,
        expectations=expectations(derived_table),
        source_rows=source.rows,
        inputs=source.inputs,
    )
    session = context.session()
    with named_failures(context.subject, cell):
        frame = compute_hour(session, context)
        if target.appends:
            frame = frame.withColumn(BUILD_COLUMN, sf.lit(wanted.wap_id))
        _refuse_keys(context.subject, derived_table, frame)
        wanted = replace(wanted, columns=tuple(frame.columns))
        frame = fit_target(session, cell, target, derived_table, frame)
        failpoint("hour.before_stage")
        write_staged(session, cell, target, frame, wanted.wap_id, summary_of(wanted))
    failpoint("hour.after_stage")
    table = load_table(cell, target.identifier)
    staged = find_staging(table, wanted.wap_id)
    if staged is not None and staged.rows:
        protect(cell, staged)
        return staged
    if rows_by_hour(table, context.hour).get(context.hour):
        raise EmptiedHourError(
            "it has rows on main, and the logic now gives none.",
            subject=context.subject,
            remedy="Delete the hour from the table by hand if that is meant.",
        )
    return replace(wanted, base_snapshot_id=table.metadata.current_snapshot_id)


def write_staged(
    session: SparkSession,
    cell: Cell,
    target: Target,
    frame: DataFrame,
    wap_id: str,
    summary: Mapping[str, str],
    *,
    replace_all: bool = False,
) -> None:
    """Write `frame` as a snapshot off main that `wap_id` names. `session` is nobody else's.

    With `replace_all` it has no other rows; it is published on the main that it was staged on alone.

    Raises:
        Py4JError, pyspark.errors.PySparkException: Spark's own.
    """
    # Settings are per session: two stagings that shared one would share its wap id.
    session.conf.set("spark.wap.id", wap_id)
    writer = frame.writeTo(table_name(cell, target.identifier))
    for key, value in summary.items():
        writer = writer.option(f"snapshot-property.{key}", value)
    if target.of_one_partition:
        # Bringing a partition's rows together first would bring all of them into one task.
        writer = writer.option("distribution-mode", "none").option("fanout-enabled", "true")
    if replace_all:
        writer.overwrite(sf.lit(True))
    elif target.appends:
        writer.append()
    else:
        writer.overwritePartitions()


def _refuse_keys(subject: str, derived_table: DerivedTable, frame: DataFrame) -> None:
    """Refuse a feature table whose entity or partitions no table could be kept by."""
    if derived_table.feature is None:
        return
    given = {field.name: field.dataType for field in frame.schema}
    for key in ("entity", "partitions"):
        for name in getattr(derived_table.feature, key):
            if name not in given:
                why = f"the logic gives no column {name}, which `feature.{key}` names"
            elif isinstance(given[name], ArrayType | MapType | StructType):
                kind = given[name].simpleString()
                why = f"column {name}, which `feature.{key}` names, is {kind}: a single value is needed"
            else:
                continue
            raise LogicError(
                f"{why}.",
                subject=subject,
                remedy="Correct the table's logic or its contract; nothing was staged.",
            )


@contextmanager
def named_failures(subject: str, cell: Cell) -> Iterator[None]:
    """Give what Spark raises inside the names of `pipeline.spark.errors`."""
    try:
        yield
    except AnalysisException as error:
        raise LogicError(
            f"it cannot run ({first_line(error)}).",
            subject=subject,
            remedy="Correct the table's logic in its contract.",
        ) from error
    except (Py4JError, PySparkException) as error:
        raise spark_failed(error, "it could not be staged", subject, cell) from error


def staged_frame(session: SparkSession, cell: Cell, staged: Staged) -> DataFrame:
    """Return the rows of a staging: those of its hour in its snapshot.

    Raises:
        ValueError: the hour has no rows, so there is no snapshot.
    """
    if staged.snapshot_id is None:
        raise ValueError(f"{staged.table} {staged.hour.isoformat()} has no rows")
    rows = rows_at(session, cell, staged.table, staged.snapshot_id)
    rows = rows.where(f"`{HOUR_COLUMN}` = {literal(staged.hour)}")
    # In a history, main has other builds of the same hour.
    return (
        rows.where(sf.col(BUILD_COLUMN) == staged.wap_id) if BUILD_COLUMN in rows.columns else rows
    )
