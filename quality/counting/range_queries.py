"""Custom queries that are counted of all hours of a staging, each by one query."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame

from pipeline.batch.sql.custom import custom_queries, has_custom_queries
from pipeline.batch.sql.range_query import HOURS
from pipeline.batch.wap.audit_frame import StagedRows
from pipeline.contract.model import DerivedTable
from pipeline.tables.layout import HOUR_COLUMN


def range_queries(rows: StagedRows, frame: DataFrame, table: DerivedTable) -> Mapping[str, str]:
    """Return the queries of `table` that can be counted of all hours, with what counts them.

    What these read is made views of in the session of `frame`, which has the rows of all hours, but for the
    rows themselves. By the types that its columns have there.

    Raises:
        LogicError, SparkFailedError: what they read cannot be read.
    """
    if not has_custom_queries(table):
        return {}
    session = frame.sparkSession
    read = {name: dict(session.table(name).dtypes) for name in rows.inputs_together(session)}
    hours = pa.table({HOUR_COLUMN: pa.array(rows.hours, pa.timestamp("us", "UTC"))})
    session.createDataFrame(hours).createOrReplaceTempView(HOURS)
    found = custom_queries(table, read, dict(frame.dtypes))
    return {one.text: one.of_range for one in found if one.of_range is not None}
