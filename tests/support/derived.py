"""Derived tables built hour by hour in memory, as the engine does over Iceberg."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.compute.inputs import Inputs
from pipeline.batch.compute.logic import PythonLogic, load_logic
from pipeline.contract.load import load_products
from pipeline.contract.model import DerivedTable
from pipeline.settings import load_settings

HOUR = timedelta(hours=1)
Frames = Mapping[str, DataFrame]


@cache
def table(name: str) -> DerivedTable:
    """Return the derived table `name`, as its contract states it."""
    products = load_products(load_settings().contracts)
    return next(one for product in products for one in product.derived_tables if one.name == name)


@cache
def logic(name: str) -> PythonLogic:
    """Return what builds an hour of the derived table `name`."""
    return load_logic(table(name).logic)


def compute_hours(
    spark: SparkSession,
    name: str,
    events: pa.Table,
    hours: Iterable[datetime],
    references: Frames,
) -> dict[datetime, pa.Table]:
    """Return the rows of each of `hours`, built in order from `events` and what the hour before hands over.

    An hour that is not one of `hours` hands nothing over.
    """
    published: dict[datetime, pa.Table] = {}
    everything = spark.createDataFrame(events)
    nothing = spark.createDataFrame([], f"{logic(name).schema}, hour TIMESTAMP")
    for hour in sorted(hours):
        of_hour = everything.where(
            (sf.col("_event_time") >= sf.lit(hour)) & (sf.col("_event_time") < sf.lit(hour + HOUR))
        )
        before = published.get(hour - HOUR)
        own = nothing if before is None else spark.createDataFrame(before)
        handed = own.where(table(name).handover or "false")
        inputs = Inputs(hour, {"events": of_hour, name: handed}, references)
        published[hour] = with_hour(logic(name).build(inputs), hour).toArrow()
    return published


def with_hour(frame: DataFrame, hour: datetime) -> DataFrame:
    """Add the engine's column."""
    return frame.withColumn("hour", sf.lit(hour))


def rows(found: pa.Table, by: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows in the order of the columns `by`, without `hour`."""
    kept = found.drop_columns("hour") if "hour" in found.column_names else found
    listed: list[dict[str, Any]] = kept.to_pylist()
    return sorted(listed, key=lambda row: tuple(str(row[name]) for name in by))
