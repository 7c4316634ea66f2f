"""A cell whose hour waits to be built: events of it and of the hours before, and their sessions."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from benchmarks.committed import EventsTable
from benchmarks.hourly.viewing import Viewing
from pipeline.batch.execute import execute
from pipeline.batch.planning.plan import HoursPlan, plan_hours
from pipeline.batch.planning.staleness import PlanInputs
from pipeline.batch.wap.audit_frame import StagedRows
from pipeline.cells import Cell, embedded_cell
from pipeline.clock import HOUR
from pipeline.contract.load import load_products
from pipeline.contract.model import Product
from pipeline.control.publications import Publication, read_publications
from pipeline.hours.fence import Fence
from pipeline.hours.rows import rows_by_hour
from pipeline.hours.states import HourState, HourStates
from pipeline.lineage.facets.assertions import Finding
from pipeline.settings import load_settings
from pipeline.spark.comet import COMET
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import own_session, start_session
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table

THE_HOUR = datetime(2026, 11, 15, 6, tzinfo=UTC)
"""The hour that is built. A title of the catalogue changes its genre as it begins."""
BEFORE = 3
"""Hours before it that have as many events, and whose sessions are published."""
SESSIONS, FEATURES = "viewing_features_raw", "user_preference_features"
PLAIN = "plain"
"""Namespace of the tables that plain Spark SQL writes."""
SPARK = {"spark.master": "local[2]", "spark.driver.memory": "4g", COMET: "false"}
"""Of the contestants that use Spark as it comes."""
SPARK_OF_HEADWATER = {
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    "spark.memory.offHeap.size": "2g",
}
"""Of Headwater: as much memory in all. That Comet runs what it can is a cell's default."""


@dataclass(frozen=True)
class Passed:
    """What the preparation says to an hour instead of an audit."""

    passed: bool = True
    met: int = 0
    reasons: tuple[str, ...] = ()
    results: tuple[Finding, ...] = ()


def viewing_product() -> Product:
    """Return the product whose hours are built, with all tables derived from it."""
    products = load_products(load_settings().contracts)
    return next(product for product in products if product.name == "viewing_events")


def cell_in(root: Path, name: str = "us") -> Cell:
    """Return the cell under `root`; Kafka is never asked."""
    return replace(embedded_cell(root, name, "127.0.0.1:9"), spark=SPARK)


def prepare(root: Path, events: int, say: Callable[[str], None] = lambda _: None) -> None:
    """Fill a fresh cell under `root`, and build the sessions of the hours before. Starts Spark."""
    cell, product = cell_in(root), viewing_product()
    say(f"writing {BEFORE + 1} hours of {events:,} events")
    fill(cell, product, events)
    spark = start_session(cell, spark_jars(load_settings().cache, cell))
    say("building the sessions of the hours before")
    build_before(spark, cell, product)
    spark.stop()


def fill(cell: Cell, product: Product, events: int, hours: int = BEFORE + 1) -> None:
    """Commit `hours` hours of `events` events, as ingest commits them; the last is `THE_HOUR`."""
    table, viewing = EventsTable(cell, product), Viewing(product, events)
    for hour in (THE_HOUR - n * HOUR for n in reversed(range(hours))):
        table.commit(viewing.hour(round(hour.timestamp() * 1_000_000), events, table.ends))


def build_before(spark: SparkSession, cell: Cell, product: Product) -> None:
    """Publish the hours before: the sessions of all, and the features of the last.

    Plain Spark SQL gets a table of the same sessions.
    """
    before = [THE_HOUR - n * HOUR for n in range(1, BEFORE + 1)]
    build(spark, cell, product, before, [SESSIONS])
    build(spark, cell, product, before[:1], [FEATURES])
    session = own_session(spark, cell)
    session.sql(f"CREATE NAMESPACE IF NOT EXISTS `{cell.name}`.{PLAIN}")
    session.sql(
        f"CREATE TABLE `{cell.name}`.{PLAIN}.{SESSIONS} USING iceberg PARTITIONED BY (hours(hour)) "  # noqa: S608
        f"AS SELECT * FROM `{cell.name}`.{product.name}.{SESSIONS}"
    )


def build(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    hours: Iterable[datetime] | None,
    tables: Iterable[str],
) -> None:
    """Publish `hours` of `tables`, all that are due if None, without an audit."""

    def accept(rows: StagedRows) -> Mapping[datetime, Passed]:
        return dict.fromkeys(rows.hours, Passed())

    plan = plan_of(cell, product, hours, tables)
    for done in execute(spark, cell, product, plan, lambda _table: accept, run_id="prepare"):
        if not isinstance(done.outcome, Publication):
            raise RuntimeError(f"{done.build.hour} was not built: {done.outcome}")


def plan_of(
    cell: Cell,
    product: Product,
    hours: Iterable[datetime] | None,
    tables: Iterable[str] | None = None,
) -> HoursPlan:
    """Plan `hours`, all that are due if None; that they are closed is not asked of Kafka."""
    events = load_table(cell, events_table(product.name))
    snapshot_id = events.metadata.current_snapshot_id
    states = tuple(
        HourState(hour, rows, Fence(hour, hour, {}), closed=True)
        for hour, rows in rows_by_hour(events).items()
    )
    looked = HourStates(product.name, cell.name, snapshot_id, THE_HOUR + 2 * HOUR, states)
    publications = read_publications(cell, product.name)
    inputs = PlanInputs.of(looked, publications)
    return plan_hours(product, inputs, hours=hours, derived_tables=tables)


def restore(kept: Path, live: Path) -> None:
    """Make `live` what `kept` was made as. Paths inside tables are absolute: it is always `live`."""
    if live.exists():
        shutil.rmtree(live)
    shutil.copytree(kept, live, copy_function=_copied)


def _copied(source: str, target: str) -> None:
    # Files of tables are written once; the catalog's database is not.
    if ".db" in Path(source).name:
        shutil.copy2(source, target)
    else:
        Path(target).hardlink_to(source)
