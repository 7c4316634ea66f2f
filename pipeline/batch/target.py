"""The tables that hours are published in."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from pyspark.sql.types import StructField

from pipeline.batch.errors import LogicError, first_line
from pipeline.batch.session import table_name
from pipeline.cells import Cell
from pipeline.contract.model import Aggregate, Product
from pipeline.tables.layout import (
    BUILD_COLUMN,
    FORMAT_VERSION,
    FORMAT_VERSION_PROPERTY,
    HOUR_COLUMN,
    published_table,
)

PROPERTIES = {
    "format-version": "2",
    FORMAT_VERSION_PROPERTY: str(FORMAT_VERSION),
    "write.wap.enabled": "true",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}


@dataclass(frozen=True)
class Target:
    """A table that rows are staged for.

    Attributes:
        identifier: `namespace.table`.
        partitioning: its partitions, as Spark SQL states them.
        required: columns that are never null.
        appends: whether rows are added; otherwise they replace the partitions that they are of.
        of_one_partition: whether all rows that are staged at once are of one partition.
    """

    identifier: str
    partitioning: tuple[str, ...]
    required: tuple[str, ...]
    appends: bool = False
    of_one_partition: bool = False


def hourly_target(product: Product, aggregate: Aggregate) -> Target:
    """Return where an aggregate's hours are published: for a feature table, its history."""
    is_feature = aggregate.feature is not None
    required = (HOUR_COLUMN, BUILD_COLUMN) if is_feature else (HOUR_COLUMN,)
    return Target(
        published_table(product, aggregate),
        (f"hours(`{HOUR_COLUMN}`)",),
        required,
        appends=is_feature,
        of_one_partition=True,
    )


def fit_target(
    session: SparkSession, cell: Cell, target: Target, aggregate: Aggregate, frame: DataFrame
) -> DataFrame:
    """Return `frame` with the columns of its table, which is created or given new columns if need be.

    A column that the logic no longer gives becomes null; none is dropped or changes its type.
    Idempotent, and safe when several processes do it at once.

    Raises:
        LogicError: a column's type is not the table's.
    """
    name = table_name(cell, target.identifier)
    comments = {column.name: column.description for column in aggregate.columns}
    columns = ", ".join(_column(field, comments, target) for field in frame.schema)
    properties = ", ".join(f"'{key}' = '{value}'" for key, value in PROPERTIES.items())
    session.sql(
        f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING iceberg "
        f"PARTITIONED BY ({', '.join(target.partitioning)}) TBLPROPERTIES ({properties})"
    )
    held = {field.name: field for field in session.table(name).schema}
    fresh = [field for field in frame.schema if field.name not in held]
    if fresh:
        added = ", ".join(_column(field, comments, target) for field in fresh)
        try:
            session.sql(f"ALTER TABLE {name} ADD COLUMNS ({added})")
        except AnalysisException as error:
            # Another process may have added them just now.
            if {f.name for f in fresh} - set(session.table(name).columns):
                raise _misfit(cell, target, first_line(error)) from error
    for field in session.table(name).schema:
        if field.name not in frame.columns:
            frame = frame.withColumn(field.name, sf.lit(None).cast(field.dataType))
        elif (given := frame.schema[field.name].dataType.simpleString()) != _type(field):
            raise _misfit(
                cell,
                target,
                f"column {field.name} is {_type(field)} there, and the logic gives {given}.",
            )
    return frame


def _type(field: StructField) -> str:
    # Without what may be null inside: a table's nested values all may.
    return str(field.dataType.simpleString())


def _column(field: StructField, comments: dict[str, str], target: Target) -> str:
    required = " NOT NULL" if field.name in target.required else ""
    comment = comments.get(field.name, "").replace("\\", "\\\\").replace("'", "\\'")
    said = f" COMMENT '{comment}'" if comment else ""
    return f"`{field.name}` {_type(field)}{required}{said}"


def _misfit(cell: Cell, target: Target, what: str) -> LogicError:
    return LogicError(
        what,
        subject=f"{cell.name}.{target.identifier}",
        remedy="Cast the column in the contract's logic, or give it a new name.",
    )
