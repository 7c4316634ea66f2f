"""With Comet hours have the rows that they have without, to the last digit, and values at the edges, too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from benchmarks.backfill import flights
from benchmarks.hourly import prepare
from benchmarks.hourly.contestants import TABLES
from pipeline.cells import Cell, embedded_cell, load_cell, save_cell
from pipeline.clock import HOUR
from pipeline.contract.model import Product, published_table
from pipeline.settings import load_settings
from pipeline.spark.comet import COMET
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import own_session, start_session
from pipeline.spark.tables import rows_at, table_name
from pipeline.tables.catalog import load_table
from tests.support.own_process import elsewhere
from tests.support.value_cases import STATEMENTS, TABLE, answers, told, write_cases

EVENTS, FLIGHTS = 1_500, 60
BEFORE = prepare.THE_HOUR - HOUR
RANGED = flights.TABLES[0]
"""A table whose hours one statement computes."""


@dataclass(frozen=True)
class Found:
    """Rows as text, by table or statement, and the plan of reading a table."""

    tables: dict[str, list[str]]
    answers: dict[str, list[str]]
    plan: str


@pytest.fixture(scope="module")
def both(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, spark_jars: tuple[Path, ...]
) -> tuple[Found, Found]:
    """What plain Spark has found, and Comet, each in a process of its own beside the other."""
    plain, home = filled(tmp_path_factory.mktemp("plain")), tmp_path_factory.mktemp("comet")
    cell = filled(home)
    save_cell(home, cell)
    with ThreadPoolExecutor(1) as beside:
        native = beside.submit(elsewhere, found_with_its_own_spark, home)
        return found(spark, plain), native.result()


@pytest.fixture(scope="module")
def without(both: tuple[Found, Found]) -> Found:
    return both[0]


@pytest.fixture(scope="module")
def with_comet(both: tuple[Found, Found]) -> Found:
    return both[1]


def filled(home: Path) -> Cell:
    """Return a cell with events of two products, and the table of values."""
    cell = embedded_cell(home, "us", "127.0.0.1:9")
    prepare.fill(cell, prepare.viewing_product(), EVENTS, 2)
    flights.fill(cell, flights.departures(home / "contracts"), FLIGHTS)
    write_cases(cell)
    return cell


def found_with_its_own_spark(home: Path) -> Found:
    cell = load_cell(home, "us")
    spark = start_session(cell, spark_jars(load_settings().cache, cell))
    try:
        return found(spark, cell)
    finally:
        spark.stop()


def found(spark: SparkSession, cell: Cell) -> Found:
    viewing = prepare.viewing_product()
    prepare.build(spark, cell, viewing, [BEFORE], [prepare.SESSIONS])
    prepare.build(spark, cell, viewing, [prepare.THE_HOUR], TABLES)
    departures = flights.departures(cell.root / "contracts")
    prepare.build(spark, cell, departures, None, [RANGED])
    session = own_session(spark, cell)
    # What is compared is what was written, as plain Spark reads it.
    session.conf.set(COMET, "false")
    tables = {name: rows(session, cell, viewing, name) for name in TABLES}
    tables[RANGED] = rows(session, cell, departures, RANGED)
    return Found(tables, answers(spark, cell), plan_of_reading(spark, cell))


def plan_of_reading(spark: SparkSession, cell: Cell) -> str:
    read = own_session(spark, cell).sql(f"SELECT k FROM {table_name(cell, TABLE)} WHERE k > 5")
    return str(cast("Any", read)._jdf.queryExecution().toString())


def rows(session: SparkSession, cell: Cell, product: Product, name: str) -> list[str]:
    table = next(one for one in product.derived_tables if one.name == name)
    identifier = published_table(product, table)
    snapshot = load_table(cell, identifier).current_snapshot()
    assert snapshot is not None
    return told(rows_at(session, cell, identifier, snapshot.snapshot_id).drop("build"))


def test_hours_have_the_same_rows(without: Found, with_comet: Found) -> None:
    assert without.tables == with_comet.tables
    assert without.tables.keys() == {*TABLES, RANGED}
    assert all(without.tables.values())


def test_comet_reads_and_plain_spark_does_not(without: Found, with_comet: Found) -> None:
    assert "CometIcebergNativeScan" in with_comet.plan
    assert "Comet" not in without.plan


@pytest.mark.parametrize("name", STATEMENTS)
def test_values_at_the_edges_are_the_same(name: str, without: Found, with_comet: Found) -> None:
    assert without.answers[name] == with_comet.answers[name] != []
