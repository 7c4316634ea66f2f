"""Derived tables built by the hour or range in memory, as the engine does over Iceberg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.compute.inputs import RangeInputs
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
    """Return what builds hours of the derived table `name`."""
    return load_logic(table(name).logic)


def compute_hours(
    spark: SparkSession,
    name: str,
    events: pa.Table,
    hours: Iterable[datetime],
    references: Frames,
    together: int = 1,
) -> dict[datetime, pa.Table]:
    """Return the rows of each of `hours`, `together` of them at once where they adjoin, in order.

    They are computed from `events` and what the hour before hands over. An hour that is not one of `hours`
    hands nothing over.
    """
    published: dict[datetime, pa.Table] = {}
    everything = spark.createDataFrame(events)
    nothing = spark.createDataFrame([], f"{logic(name).schema}, hour TIMESTAMP")
    for start, end in _ranges(sorted(hours), together):
        of_range = everything.where(
            (sf.col("_event_time") >= sf.lit(start)) & (sf.col("_event_time") < sf.lit(end))
        )
        before = published.get(start - HOUR)
        own = spark.createDataFrame(before) if before else nothing
        handed = own.where(table(name).handover or "false")
        inputs = RangeInputs(start, end, {"events": of_range, name: handed}, references)
        built = logic(name).build(inputs).toArrow()
        for number in range((end - start) // HOUR):
            hour = start + number * HOUR
            published[hour] = built.filter(pc.field("hour") == hour)
    return published


def _ranges(hours: Sequence[datetime], together: int) -> Iterator[tuple[datetime, datetime]]:
    start = 0
    for end in range(1, len(hours) + 1):
        if end == len(hours) or end - start == together or hours[end] != hours[end - 1] + HOUR:
            yield hours[start], hours[end - 1] + HOUR
            start = end


def rows(found: pa.Table, by: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows in the order of the columns `by`, without `hour`."""
    kept = found.drop_columns("hour") if "hour" in found.column_names else found
    listed: list[dict[str, Any]] = kept.to_pylist()
    return sorted(listed, key=lambda row: tuple(str(row[name]) for name in by))
