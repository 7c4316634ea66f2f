"""Each entity's newest row, by windows over rows of hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf
from pyspark.sql.types import StructField

from pipeline.avro.arrow import UTC_MICROS
from pipeline.contract.model import Feature
from pipeline.spark.column_types import quoted
from pipeline.tables.layout import BUILD_COLUMN, HOUR_COLUMN


def newest(
    history: DataFrame,
    feature: Feature,
    touched: pa.Table | None,
    builds: Mapping[datetime, str],
) -> DataFrame:
    """Return what the partitions `touched`, and perhaps others, are to hold; all of them for None.

    `builds` maps each hour to the build that counts.
    """
    if touched is not None:
        history = within(history, touched)
    # As Arrow: rows of Python would start a Python worker beside every task.
    counted = history.sparkSession.createDataFrame(
        pa.table(
            {
                HOUR_COLUMN: pa.array(list(builds), UTC_MICROS),
                BUILD_COLUMN: pa.array(list(builds.values()), pa.string()),
            }
        )
    )
    rows = history.join(sf.broadcast(counted), [HOUR_COLUMN, BUILD_COLUMN], "left_semi")
    return of_newest_hour(rows, keys_of(feature)).drop(BUILD_COLUMN)


def of_newest_hour(rows: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Return of the rows with the same `keys` one of the newest hour; null is a value like any other."""
    order = Window.partitionBy(*map(quoted, keys)).orderBy(sf.col(HOUR_COLUMN).desc())
    return rows.withColumn("_rank", sf.row_number().over(order)).where("_rank = 1").drop("_rank")


def keys_of(feature: Feature) -> tuple[str, ...]:
    """Return the columns that a row of the feature table is known by."""
    return tuple(dict.fromkeys((*feature.entity, *feature.partitions)))


def within(rows: DataFrame, touched: pa.Table) -> DataFrame:
    """Return the rows of the partitions `touched`, and perhaps of others."""
    for column in touched.column_names:
        # Values, not a join: files without them are not read.
        values = touched.column(column).unique().to_pylist()
        rows = rows.where(is_one_of(rows.schema[column], values))
    return rows


def is_one_of(field: StructField, values: Iterable[Any]) -> Column:
    """Return the condition that a column has one of `values`; null is a value like any other."""
    column, given = sf.col(quoted(field.name)), list(values)
    # By its text: Spark takes a time without a zone as of the machine's own.
    known = [
        sf.lit(one.isoformat()).cast(field.dataType) if isinstance(one, datetime) else sf.lit(one)
        for one in given
        if one is not None
    ]
    found = column.isin(known) if known else sf.lit(False)
    return found | column.isNull() if None in given else found
