"""Computing a range of hours of a derived table from pinned inputs."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.utils import is_remote

from pipeline.batch.compute.hour import compute_hour, refuse_hour
from pipeline.batch.compute.read import events_of, of_hours, references_of
from pipeline.batch.compute.time_range import compute_time_range
from pipeline.batch.context import RangeContext
from pipeline.batch.errors import LogicError
from pipeline.batch.planning.range_logic import RANGE_HOUR, Ranged, range_logic
from pipeline.contract.model import EVENTS, Read
from pipeline.tables.layout import HOUR_COLUMN


def compute_range(session: SparkSession, context: RangeContext) -> DataFrame:
    """Return what the table's logic gives for the hours of `context`, each as `compute_hour` gives it.

    By one statement where that is provably the same, told by the types that its inputs have now; by the logic
    itself where the contract says that it computes a range.

    Raises:
        LogicError: over Spark Connect there is no such statement for several hours.
        What `compute_hour` and `compute_time_range` raise.
    """
    if context.derived_table.logic.incremental_by == "timeRange":
        return compute_time_range(session, context)
    if len(context.hours) > 1:
        if (rows := _ranged(session, context)) is not None:
            return rows
        if is_remote():
            # There a statement looks its views up when it runs: all hours would see those of the last.
            raise LogicError(
                "its hours are computed one by one over Spark Connect.",
                subject=f"{context.product.name}.{context.derived_table.name}",
                remedy="Build its hours one by one.",
            )
    return reduce(
        DataFrame.unionByName, (compute_hour(session, context, hour) for hour in context.hours)
    )


def _ranged(session: SparkSession, context: RangeContext) -> DataFrame | None:
    """Return the rows of all hours by one statement; None where it cannot be told that they are the same."""
    derived_table, hours = context.derived_table, context.hours
    if derived_table.reads != (Read(table=EVENTS),):
        return None
    frames = {
        EVENTS: events_of(session, context, hours),
        **references_of(session, context),
    }
    types = {
        name: {field.name: field.dataType.simpleString() for field in frame.schema}
        for name, frame in frames.items()
    }
    logic = range_logic(derived_table, types)
    if not isinstance(logic, Ranged) or logic.sql is None:
        return None
    most = max(source.rows for source in context.sources.values())
    if logic.most_rows is not None and most > logic.most_rows:
        return None
    for name, frame in frames.items():
        frame.createOrReplaceTempView(name)
    rows = session.sql(logic.sql)
    refuse_hour(context, rows)
    # What lies between the hours has no events; another build may have given it some meanwhile.
    return rows.withColumnRenamed(RANGE_HOUR, HOUR_COLUMN).where(of_hours(hours))
