"""Computing a range of hours by logic that says that it does."""

from __future__ import annotations

import re

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.types import TimestampType

from pipeline.batch.compute.logic import load_logic, run_logic
from pipeline.batch.compute.read import read_range_inputs
from pipeline.batch.context import RangeContext
from pipeline.batch.errors import LogicError
from pipeline.tables.layout import HOUR_COLUMN

_NOT_OF_RANGE = "its logic gives a row of no hour of its range: "


def compute_time_range(session: SparkSession, context: RangeContext) -> DataFrame:
    """Return what logic that computes a range gives for the hours of `context`, by its column `hour`.

    Everything that the logic reads is a view in `session` too, for all hours from the first to the last.
    Where it gives a row of another hour, or of none, no row can be computed: `misplaced_hour` tells of it.

    Raises:
        pyspark.errors.AnalysisException: SQL does not fit its inputs.
        LogicError: the logic raises, or gives no timestamps `hour`.
    """
    derived_table = context.derived_table
    python = load_logic(derived_table.logic) if derived_table.logic.language == "python" else None
    inputs = read_range_inputs(session, context, python)
    if python is not None:
        rows = run_logic(python, inputs, derived_table, context.hours)
    else:
        marks = {"start": inputs.start, "end": inputs.end}
        rows = session.sql(derived_table.logic.text, args=marks)
    given = {field.name.lower(): field.dataType for field in rows.schema}.get(HOUR_COLUMN)
    if not isinstance(given, TimestampType):
        what = "no such column" if given is None else given.simpleString()
        raise LogicError(
            f"what computes a range gives the start of each row's hour as a timestamp `{HOUR_COLUMN}`; "
            f"it gives {what}.",
            subject=context.subject,
            remedy=f"Correct {derived_table.logic.file}, or have its contract say `incrementalBy: hour`.",
        )
    hour = rows[HOUR_COLUMN]
    is_of_range = sf.coalesce(
        (hour >= sf.lit(inputs.start))
        & (hour < sf.lit(inputs.end))
        & (hour == sf.date_trunc("hour", hour)),
        sf.lit(False),
    )
    told = sf.concat(sf.lit(_NOT_OF_RANGE), sf.coalesce(hour.cast("string"), sf.lit("null")))
    # Hours that lie between those of `context` are asked for as well, and are none of its.
    asked = rows.where(~is_of_range | hour.isin(list(context.hours)))
    return asked.withColumn(HOUR_COLUMN, sf.when(is_of_range, hour).otherwise(sf.raise_error(told)))


def misplaced_hour(error: BaseException) -> str | None:
    """Return the `hour` of a row that is of no hour of its range, if `error` is of that."""
    found = re.search(f"{_NOT_OF_RANGE}(null|[0-9: .-]+)", str(error))
    return found[1].strip() if found else None
