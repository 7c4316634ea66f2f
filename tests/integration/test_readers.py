"""Who has opened a table reads it to its end, by every engine, as long as docs/how-to/maintenance.md says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain

import duckdb
import pytest
from py4j.protocol import Py4JJavaError
from pyiceberg.table import Table
from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.maintenance.trim import Trimmer
from pipeline.spark.session import own_session
from pipeline.tables.catalog import load_table
from pipeline.tables.errors import WarehouseUnavailableError
from pipeline.tables.integrity.reading import reading
from tests.support.orders import Orders, hour

EVENTS = "orders.events"
POLICY = MaintenancePolicy(min_files=2, retain_last=1)
"""As by default, but that a table of a few commits is compacted, and none of them stays for being new."""
STATED = timedelta(hours=1)
MOMENT = timedelta(milliseconds=500)
GONE = {"pyiceberg": FileNotFoundError, "duckdb": duckdb.IOException, "spark": Py4JJavaError}
"""What who reads on for longer ends with, by its engine: never with a part of the rows."""

Offsets = list[int]
Reader = Callable[[], Offsets]
"""Ends what it began, and returns the offsets of all rows."""


def fill(orders: Orders, commits: int) -> None:
    for number in range(commits):
        orders.append([(hour(number % 3), "eu", number)])


def pyiceberg(table: Table) -> Reader:
    scan = table.scan(selected_fields=("_offset",))
    return lambda: scan.to_arrow().column("_offset").to_pylist()


def duck(table: Table) -> Reader:
    """DuckDB, over the files that PyIceberg has planned."""
    paths = [task.file.file_path.removeprefix("file://") for task in table.scan().plan_files()]
    rows = duckdb.connect().from_parquet(paths).select("_offset")
    return lambda: [offset for (offset,) in rows.fetchall()]


def spark_rows(spark: SparkSession, cell: Cell) -> Reader:
    """Spark, which has read the first file, and each of the others once it comes to it."""
    reader = own_session(spark, cell).read.option("file-open-cost", f"{1 << 27}")
    rows = reader.table(f"us.{EVENTS}").select("_offset").toLocalIterator()
    first = next(rows)
    return lambda: [row[0] for row in chain([first], rows)]


def opened(spark: SparkSession, cell: Cell) -> Mapping[str, Reader]:
    table = load_table(cell, EVENTS)
    return {"pyiceberg": pyiceberg(table), "duckdb": duck(table), "spark": spark_rows(spark, cell)}


def went_on_at(cell: Cell, snapshot_id: int) -> datetime:
    """Return when main went on from a snapshot."""
    snapshots = load_table(cell, EVENTS).metadata.snapshots
    (after,) = (one for one in snapshots if one.parent_snapshot_id == snapshot_id)
    return datetime.fromtimestamp(after.timestamp_ms / 1000, UTC)


def keep_up(cell: Cell, product: Product, now: datetime) -> None:
    """Do all that is done to a table by itself, as if it were `now`."""
    Trimmer(cell, product, lambda: now).trim()
    maintain(cell, product, POLICY, lambda: now)


def test_readers_of_every_engine_end_what_they_began_within_an_hour(
    spark: SparkSession, orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 12)
    snapshot = load_table(quiet_cell, EVENTS).metadata.current_snapshot_id or 0
    # However long it has been main's: readers open it until main goes on.
    time.sleep(2 * MOMENT.total_seconds())
    within, later = opened(spark, quiet_cell), opened(spark, quiet_cell)
    outdated = load_table(quiet_cell, EVENTS)
    maintain(quiet_cell, product, POLICY)
    until = went_on_at(quiet_cell, snapshot) + STATED
    fill(orders, 30)

    keep_up(quiet_cell, product, until - MOMENT)
    left = load_table(quiet_cell, EVENTS).metadata.snapshots
    assert len(left) < 10, "commits that nobody needs went all the same"
    for engine, read in within.items():
        assert sorted(read()) == list(range(12)), engine

    keep_up(quiet_cell, product, until + MOMENT)
    for engine, read in later.items():
        with pytest.raises(GONE[engine], match=r"[-\w]+\.(avro|parquet)"):
            read()
    # Headwater's own readers say it, and that nothing is lost.
    expired = pytest.raises(WarehouseUnavailableError, match="expired while it was read")
    with expired, reading(outdated):
        pyiceberg(outdated)()
    for engine, read in opened(spark, quiet_cell).items():
        assert sorted(read()) == list(range(42)), engine
