"""Computing one hour of a derived table from pinned inputs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.compute.inputs import Inputs
from pipeline.batch.compute.logic import PythonLogic, load_logic
from pipeline.batch.compute.references import reference_frame
from pipeline.batch.context import HourContext
from pipeline.batch.errors import LogicError
from pipeline.batch.planning.staleness import hours_of
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.model import EVENTS, DerivedTable, Read
from pipeline.spark.session import rows_at, table_name
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import HOUR_COLUMN, events_table, product_table


def compute_hour(session: SparkSession, context: HourContext) -> DataFrame:
    """Return what the table's logic gives for one hour, with the column `hour`.

    Events are read as of the source's snapshot, other tables as main has them now. Everything that the
    logic reads is a view in `session` too, by its name.

    Raises:
        pyspark.errors.AnalysisException: SQL does not fit its inputs.
        LogicError: the logic raises, or gives a column `hour` itself.
    """
    derived_table = context.derived_table
    python = load_logic(derived_table.logic) if derived_table.logic.language == "python" else None
    inputs = read_inputs(session, context, python)
    frame = (
        session.sql(derived_table.logic.text)
        if python is None
        else _run(python, inputs, derived_table)
    )
    if HOUR_COLUMN in (column.lower() for column in frame.columns):
        raise LogicError(
            f"it gives a column {HOUR_COLUMN!r}, which the engine adds.",
            subject=f"{context.product.name}.{derived_table.name}",
            remedy=f"Rename the column in {derived_table.logic.file.name}.",
        )
    return frame.withColumn(HOUR_COLUMN, sf.expr(literal(context.hour)))


def read_inputs(
    session: SparkSession, context: HourContext, python: PythonLogic | None = None
) -> Inputs:
    """Return what the hour is computed from, each also a view in `session`; nothing is read yet."""
    derived_table = context.derived_table
    tables = {read.table: _rows(session, context, read, python) for read in derived_table.reads}
    references = {
        one.name: reference_frame(session, context.product, one)
        for one in context.product.references
        if one.name in derived_table.references
    }
    for name, frame in {**tables, **references}.items():
        frame.createOrReplaceTempView(name)
    return Inputs(context.hour, tables, references)


def literal(instant: datetime) -> str:
    """Return an instant in SQL."""
    return f"TIMESTAMP '{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00:00'"


def _rows(
    session: SparkSession, context: HourContext, read: Read, python: PythonLogic | None
) -> DataFrame:
    cell, derived_table = context.cell, context.derived_table
    hours = hours_of(read, context.hour)
    if read.table == EVENTS:
        table = events_table(context.product.name)
        events = rows_at(session, cell, table, context.source.snapshot_id)
        return events.where(_within("_event_time", hours))
    identifier = product_table(context.product.name, read.table)
    is_own = read.table == derived_table.name
    if is_own and python is not None and python.schema and not _exists(cell, identifier):
        return session.createDataFrame([], f"{python.schema}, {HOUR_COLUMN} TIMESTAMP")
    rows = session.table(table_name(cell, identifier)).where(_within(HOUR_COLUMN, hours))
    return rows.where(derived_table.handover) if is_own and derived_table.handover else rows


def _within(column: str, hours: Iterable[datetime]) -> str:
    ordered = sorted(hours)
    return f"`{column}` >= {literal(ordered[0])} AND `{column}` < {literal(ordered[-1] + HOUR)}"


def _exists(cell: Cell, identifier: str) -> bool:
    try:
        load_table(cell, identifier)
    except TableMissingError:
        return False
    return True


def _run(python: PythonLogic, inputs: Inputs, derived_table: DerivedTable) -> DataFrame:
    try:
        return python.build(inputs)
    except PySparkException:
        raise
    except Exception as error:
        # Somebody else's code: whatever it raises, the hour cannot be computed.
        raise LogicError(
            f"it raised {type(error).__name__}: {error}.",
            subject=f"{derived_table.name} hour {inputs.hour:%Y-%m-%dT%H}",
            remedy=f"Correct {derived_table.logic.file}; main is as it was.",
        ) from error
