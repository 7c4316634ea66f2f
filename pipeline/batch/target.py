"""The table that an aggregate's hours are published in."""

from __future__ import annotations

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.types import StructField

from pipeline.batch.errors import AggregateSqlError, first_line
from pipeline.batch.session import table_name
from pipeline.cells import Cell
from pipeline.contract.model import Aggregate
from pipeline.tables.layout import FORMAT_VERSION, FORMAT_VERSION_PROPERTY

HOUR_COLUMN = "hour"

PROPERTIES = {
    "format-version": "2",
    FORMAT_VERSION_PROPERTY: str(FORMAT_VERSION),
    "write.wap.enabled": "true",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


def fit_target(
    session: SparkSession, cell: Cell, identifier: str, aggregate: Aggregate, frame: DataFrame
) -> DataFrame:
    """Return `frame` with the columns of its table, which is created or given new columns if need be.

    A column that the statement no longer gives becomes null; none is dropped or changes its type.
    Idempotent, and safe when several processes do it at once.

    Raises:
        AggregateSqlError: a column's type is not the table's.
    """
    name = table_name(cell, identifier)
    comments = {column.name: column.description for column in aggregate.columns}
    columns = ", ".join(_column(field, comments) for field in frame.schema)
    properties = ", ".join(f"'{key}' = '{value}'" for key, value in PROPERTIES.items())
    session.sql(
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING iceberg "
        f"PARTITIONED BY (hours(`{HOUR_COLUMN}`)) TBLPROPERTIES ({properties})"
    )
    held = {field.name: field for field in session.table(name).schema}
    fresh = [field for field in frame.schema if field.name not in held]
    if fresh:
        added = ", ".join(_column(field, comments) for field in fresh)
        try:
            session.sql(f"ALTER TABLE {name} ADD COLUMNS ({added})")
        except AnalysisException as error:
            # Another process may have added them just now.
            if {f.name for f in fresh} - set(session.table(name).columns):
                raise _misfit(cell, identifier, first_line(error)) from error
    for field in session.table(name).schema:
        if field.name not in frame.columns:
            frame = frame.withColumn(field.name, sf.lit(None).cast(field.dataType))
        elif field.dataType != frame.schema[field.name].dataType:
            given = frame.schema[field.name].dataType.simpleString()
            raise _misfit(
                cell,
                identifier,
                f"column {field.name} is {field.dataType.simpleString()} there, and the statement "
                f"gives {given}.",
            )
    return frame


def _column(field: StructField, comments: dict[str, str]) -> str:
    required = " NOT NULL" if field.name == HOUR_COLUMN else ""
    comment = comments.get(field.name, "").replace("\\", "\\\\").replace("'", "\\'")
    said = f" COMMENT '{comment}'" if comment else ""
    return f"`{field.name}` {field.dataType.simpleString()}{required}{said}"


def _misfit(cell: Cell, identifier: str, what: str) -> AggregateSqlError:
    return AggregateSqlError(
        what,
        subject=f"{cell.name}.{identifier}",
        remedy="Cast the column in the contract's statement, or give it a new name.",
    )
