"""Runs of adjoining hours, by sensor."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from headwater import Inputs

SCHEMA = "sensor STRING, hours BIGINT, last BIGINT"


def build(inputs: Inputs) -> DataFrame:
    """Return one row a sensor with readings in the hour."""
    now = inputs.tables["readings_hourly"].select("sensor", sf.col("total").alias("last"))
    before = inputs.tables["sensor_runs"].select("sensor", sf.col("hours").alias("before"))
    hours = sf.coalesce("before", sf.lit(0)) + sf.lit(1)
    return now.join(before, "sensor", "left").select(
        "sensor", hours.cast("bigint").alias("hours"), "last"
    )
