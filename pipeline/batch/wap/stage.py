"""Writing rows where no reader sees them yet."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.types import ArrayType, MapType, StructType

from pipeline.batch.compute.range import compute_range
from pipeline.batch.compute.read import of_hours
from pipeline.batch.compute.time_range import misplaced_hour
from pipeline.batch.context import RangeContext, hours_named
from pipeline.batch.errors import EmptiedHourError, LogicError, SourceExpiredError
from pipeline.batch.model import Staged, StagedHour
from pipeline.batch.planning.stages import expectations
from pipeline.batch.wap.stagings import find_staging, summary_of
from pipeline.batch.wap.tags import protect
from pipeline.batch.wap.target import Target, fit_target, hourly_target
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.code_version import loaded_code_version
from pipeline.contract.model import EVENTS, DerivedTable
from pipeline.failpoints import failpoint
from pipeline.hours.rows import rows_by_hour
from pipeline.spark.column_types import quoted
from pipeline.spark.errors import first_line, spark_failed
from pipeline.spark.tables import rows_at, table_name
from pipeline.tables.catalog import find_table, load_table, open_catalog
from pipeline.tables.layout import BUILD_COLUMN, events_table, product_table


def stage(context: RangeContext) -> Staged:
    """Compute hours from pinned inputs and write them off main, together.

    Creates the table where it is absent. The staging and main as it was are tagged under the first hour with
    rows, so that expiry leaves them; tags of earlier stagings of these hours are dropped. Not idempotent:
    each call is a staging of its own. Any number may run at once, in threads and processes.

    Raises:
        SourceExpiredError: events has no such snapshot any more.
        LogicError: the logic fails, or does not fit its inputs or its table.
        SparkFailedError: Spark gave up for another reason.
        TableMissingError: the product was never ingested in this cell.
    """
    cell, source_snapshot_id = context.cell, context.source_snapshot_id
    events = load_table(cell, events_table(context.product.name))
    if events.metadata.snapshot_by_id(source_snapshot_id) is None:
        raise SourceExpiredError(
            f"snapshot {source_snapshot_id} of events has expired.",
            subject=context.subject,
            remedy="Look at the hours again and build from the snapshot that main has now.",
        )
    inputs = _input_snapshots(context)
    return _stage(context, lambda session: compute_range(session, context), inputs)


def stage_again(context: RangeContext, staged: Staged) -> Staged:
    """Write the hours of `context` off main once more, without the others of `staged`, as it has them.

    As `stage`, but nothing is computed.
    """
    given = [quoted(name) for name in staged.columns if name != BUILD_COLUMN]
    kept = staged.only(context.hours)
    return _stage(
        context,
        lambda session: staged_frame(session, context.cell, kept).select(*given),
        staged.input_snapshots,
    )


def _input_snapshots(context: RangeContext) -> Mapping[str, int]:
    """Return main's snapshot of each derived table that is read, looked at before any is."""
    catalog = open_catalog(context.cell)
    names = (
        product_table(context.product.name, read.table)
        for read in context.derived_table.reads
        if read.table != EVENTS
    )
    tables = {name: find_table(catalog, name) for name in names}
    return {
        name: table.metadata.current_snapshot_id
        for name, table in tables.items()
        if table is not None and table.metadata.current_snapshot_id is not None
    }


def _stage(
    context: RangeContext,
    rows: Callable[[SparkSession], DataFrame],
    input_snapshots: Mapping[str, int],
) -> Staged:
    cell, derived_table = context.cell, context.derived_table
    target = hourly_target(context.product, derived_table)
    wanted = Staged(
        table=target.identifier,
        wap_id=uuid.uuid4().hex,
        source_snapshot_id=context.source_snapshot_id,
        snapshot_id=None,
        base_snapshot_id=None,
        contract_version=derived_table.version,
        run_id=context.run_id,
        expectations=expectations(derived_table),
        hours=tuple(
            StagedHour(hour, 0, source.rows, source.inputs)
            for hour, source in context.sources.items()
        ),
        input_snapshots=input_snapshots,
        code_version=loaded_code_version(derived_table.folder, derived_table.version),
    )
    session = context.session()
    with named_failures(context.subject, cell):
        frame = rows(session)
        if target.appends:
            frame = frame.withColumn(BUILD_COLUMN, sf.lit(wanted.wap_id))
        _refuse_keys(context.subject, derived_table, frame)
        wanted = replace(wanted, columns=tuple(frame.columns))
        frame = fit_target(session, cell, target, derived_table, frame)
        failpoint("hour.before_stage")
        write_staged(
            session,
            cell,
            target,
            frame,
            wanted.wap_id,
            summary_of(wanted),
            one_partition=len(context.hours) == 1,
        )
    failpoint("hour.after_stage")
    table = load_table(cell, target.identifier)
    staged = find_staging(table, wanted.wap_id)
    if staged is None or not staged.with_rows:
        return replace(wanted, base_snapshot_id=table.metadata.current_snapshot_id)
    protect(cell, staged, staged.with_rows[:1])
    return staged


def emptied_hours(cell: Cell, staged: Staged) -> Mapping[datetime, EmptiedHourError]:
    """Return, of the hours of a staging that have no rows, the refusal of those that have some on main."""
    empty = sorted(set(staged.starts) - set(staged.with_rows))
    if not empty:
        return {}
    published = rows_by_hour(load_table(cell, staged.table), empty[0], empty[-1] + HOUR)
    return {
        hour: EmptiedHourError(
            "it has rows on main, and the logic now gives none.",
            subject=f"{cell.name}.{staged.table} {hours_named([hour])}",
            remedy="Delete the hour from the table by hand if that is meant.",
        )
        for hour in empty
        if published.get(hour)
    }


def write_staged(
    session: SparkSession,
    cell: Cell,
    target: Target,
    frame: DataFrame,
    wap_id: str,
    summary: Mapping[str, str],
    *,
    one_partition: bool = False,
    few_partitions: bool = False,
    replace_all: bool = False,
) -> None:
    """Write `frame` as a snapshot off main that `wap_id` names. `session` is nobody else's.

    `one_partition` says that all of its rows are of one partition, `few_partitions` that a task may have a
    file open for each. With `replace_all` it has no other rows; it is published on the main that it was
    staged on alone.

    Raises:
        Py4JError, pyspark.errors.PySparkException: Spark's own.
    """
    # Settings are per session: two stagings that shared one would share its wap id.
    session.conf.set("spark.wap.id", wap_id)
    writer = frame.writeTo(table_name(cell, target.identifier))
    for key, value in summary.items():
        writer = writer.option(f"snapshot-property.{key}", value)
    if one_partition:
        # Bringing a partition's rows together first would bring all of them into one task.
        writer = writer.option("distribution-mode", "none")
    if one_partition or few_partitions:
        # Otherwise rows are sorted by partition, with all their columns, so that one file is open.
        writer = writer.option("fanout-enabled", "true")
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
        if (hour := misplaced_hour(error)) is not None:
            raise LogicError(
                f"its logic gives a row whose `hour` is {hour}, which is no hour of its range.",
                subject=subject,
                remedy="Correct the table's logic; nothing was staged.",
            ) from error
        raise spark_failed(error, "it could not be staged", subject, cell) from error


def staged_frame(session: SparkSession, cell: Cell, staged: Staged) -> DataFrame:
    """Return the rows of a staging: those of its hours in its snapshot.

    Raises:
        ValueError: no hour has rows, so there is no snapshot.
    """
    if staged.snapshot_id is None:
        raise ValueError(f"{staged.table} {hours_named(staged.starts)}: no rows are staged")
    rows = rows_at(session, cell, staged.table, staged.snapshot_id).where(of_hours(staged.starts))
    # In a history, main has other builds of the same hours.
    return (
        rows.where(sf.col(BUILD_COLUMN) == staged.wap_id) if BUILD_COLUMN in rows.columns else rows
    )
