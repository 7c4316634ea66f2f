"""A table's rows as they are at the end of the hour: each order's last change, unless that deletes it."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as sf

from headwater import Inputs

ROW = ("customer", "amount", "note")
SCHEMA = "id BIGINT, customer STRING, amount DOUBLE, note STRING, placed_at TIMESTAMP"
"""The table's columns, for the first hour: there is none before it."""


def build(inputs: Inputs) -> DataFrame:
    """Return one row an order. All changes of an order are in one partition, in the order they were made."""
    changes = inputs.tables["events"].where("op IS NOT NULL")
    before = inputs.tables["orders_current"].select("id", *ROW, "placed_at")
    changed = changes.select(
        sf.col("_key").cast("bigint").alias("id"),
        *(sf.col(f"after.{name}") for name in ROW),
        sf.timestamp_micros("after.placed_at").alias("placed_at"),
        "op",
        sf.col("_offset").alias("position"),
    )
    were = before.withColumns({"op": sf.lit("r"), "position": sf.lit(-1).cast("bigint")})
    newest = Window.partitionBy("id").orderBy(sf.desc("position"))
    rows = changed.unionByName(were).withColumn("nth", sf.row_number().over(newest))
    return rows.where("nth = 1 AND op <> 'd'").select("id", *ROW, "placed_at")
