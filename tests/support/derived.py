"""Derived tables built hour by hour in memory, as the engine does over Iceberg."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import pyarrow as pa
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf
from ruamel.yaml import YAML

from pipeline.batch.inputs import Inputs
from pipeline.settings import PROJECT

HOUR = timedelta(hours=1)
Build = Callable[[Inputs], DataFrame]
Frames = Mapping[str, DataFrame]


def load_build(table: str) -> Build:
    """Return the function that builds an hour of `table`."""
    path = PROJECT / "contracts" / table / "build.py"
    spec = importlib.util.spec_from_file_location(f"build_{table}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(Build, module.build)


def table_object(table: str) -> dict[str, Any]:
    """Return what the contract of `table` says of its one schema object."""
    document = YAML(typ="safe").load(PROJECT / "contracts" / table / "contract.yaml")
    (entry,) = document["schema"]
    return cast(dict[str, Any], entry)


def settings(table: str) -> dict[str, Any]:
    """Return Headwater's settings of `table`."""
    (own,) = table_object(table)["customProperties"]
    return cast(dict[str, Any], own["value"])


def expectations(table: str) -> list[Any]:
    """Return the Great Expectations expectations of `table`, as its contract states them."""
    entry = table_object(table)
    places = [(entry, {}), *((one, {"column": one["name"]}) for one in entry["properties"])]
    return [
        ExpectationConfiguration(
            type=rule["implementation"]["type"],
            kwargs=implied | rule["implementation"].get("kwargs", {}),
        ).to_domain_obj()
        for place, implied in places
        for rule in place.get("quality", ())
    ]


def build_hours(
    spark: SparkSession,
    table: str,
    events: pa.Table,
    hours: Iterable[datetime],
    references: Frames,
) -> dict[datetime, pa.Table]:
    """Return the rows of each of `hours`, built in order from `events` and what the hour before hands over.

    An hour that is not one of `hours` hands nothing over.
    """
    build, handover = load_build(table), settings(table)["handover"]
    published: dict[datetime, pa.Table] = {}
    everything = spark.createDataFrame(events)
    for hour in sorted(hours):
        of_hour = everything.where(
            (sf.col("_event_time") >= sf.lit(hour)) & (sf.col("_event_time") < sf.lit(hour + HOUR))
        )
        before = published.get(hour - HOUR)
        own = spark.createDataFrame(before if before is not None else NOTHING)
        inputs = Inputs(hour, {"events": of_hour, table: own.where(handover)}, references)
        published[hour] = with_hour(build(inputs), hour).toArrow()
    return published


def with_hour(frame: DataFrame, hour: datetime) -> DataFrame:
    """Add the engine's column."""
    return frame.withColumn("hour", sf.lit(hour))


def rows(table: pa.Table, by: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows in the order of the columns `by`, without `hour`."""
    kept = table.drop_columns("hour") if "hour" in table.column_names else table
    found: list[dict[str, Any]] = kept.to_pylist()
    return sorted(found, key=lambda row: tuple(str(row[name]) for name in by))


NOTHING = pa.schema(
    [
        ("user_id", pa.string()),
        ("session_start", pa.timestamp("us", "UTC")),
        ("session_end", pa.timestamp("us", "UTC")),
        ("session_events", pa.int64()),
        ("session_watch_seconds", pa.int64()),
        ("hour", pa.timestamp("us", "UTC")),
    ]
).empty_table()
