"""Computing one hour of a derived table from pinned inputs."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.compute.logic import load_logic, run_logic
from pipeline.batch.compute.read import literal, read_inputs
from pipeline.batch.context import RangeContext
from pipeline.batch.errors import LogicError
from pipeline.tables.layout import HOUR_COLUMN


def compute_hour(session: SparkSession, context: RangeContext, hour: datetime) -> DataFrame:
    """Return what the table's logic gives for one hour, with the column `hour`.

    Events are read as of the source's snapshot, other tables as main has them now. Everything that the
    logic reads is a view in `session` too, by its name.

    Raises:
        pyspark.errors.AnalysisException: SQL does not fit its inputs.
        LogicError: the logic raises, or gives a column `hour` itself.
    """
    derived_table = context.derived_table
    python = load_logic(derived_table.logic) if derived_table.logic.language == "python" else None
    inputs = read_inputs(session, context, hour, python)
    frame = (
        session.sql(derived_table.logic.text)
        if python is None
        else run_logic(python, inputs, derived_table, [hour])
    )
    refuse_hour(context, frame)
    return frame.withColumn(HOUR_COLUMN, sf.expr(literal(hour)))


def refuse_hour(context: RangeContext, frame: DataFrame) -> None:
    """Refuse logic that gives the column that the engine adds.

    Raises:
        LogicError: it does.
    """
    if HOUR_COLUMN in (column.lower() for column in frame.columns):
        derived_table = context.derived_table
        raise LogicError(
            f"it gives a column {HOUR_COLUMN!r}, which the engine adds.",
            subject=f"{context.product.name}.{derived_table.name}",
            remedy=f"Rename the column in {derived_table.logic.file.name}.",
        )
