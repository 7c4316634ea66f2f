"""The backfill benchmark: its document and page, its peers' audits, and how rows are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from benchmarks import results
from benchmarks.backfill import flights
from benchmarks.backfill.audits import audit_statements
from benchmarks.backfill.contestants import YEAR, contestant
from benchmarks.backfill.document import document
from benchmarks.backfill.measure import Run
from benchmarks.backfill.page import page, plot
from benchmarks.backfill.rows import compare_rows, keep_rows
from benchmarks.backfill.work import Place, Target, Work, load_work
from pipeline.cells import Cell, embedded_cell
from pipeline.contract.model import Expectation
from pipeline.hours.rows import rows_by_hour
from pipeline.tables.catalog import load_table, open_catalog


def run(workload: str, name: str, seconds: float, differing: int = 0) -> Run:
    return Run(workload, name, 500, 9, 0, seconds, 2.0, 100.0, {"t": 7}, {"t": differing})


RUNS = [
    run("year", "spark_sql", 2.0),
    run("year", "headwater", 9.0),
    run("week", "hour_by_hour", 8.0),
    run("week", "headwater", 2.0),
]


def test_ratios_are_within_a_workload_and_the_page_has_a_section_for_each() -> None:
    result = document(RUNS, failed={"dbt on Spark, year": "no such wheel"})
    results.check(result, "backfill")
    assert [(one["contestant"], one["seconds"]) for one in result["ratios"]] == [
        ("spark_sql", 4.5),
        ("hour_by_hour", 0.25),
    ]
    text = page(result)
    assert "## 500 flights of 336,776, 9 hours" in text
    assert "## 9 hours of 500 viewing events" in text
    assert "| Spark SQL, one job a table | 2.0 s | 2.0 | 100 | 4.50 | 1.00 |" in text
    assert "dbt on Spark, year did not run: no such wheel" in text
    assert "Every row and every value of every table is equal" in text
    drawn = "".join(ElementTree.fromstring(plot(result)).itertext())  # noqa: S314 - our own
    assert all(contestant(one.contestant).TITLE in drawn for one in RUNS)


def test_rows_that_differ_are_told() -> None:
    result = document([*RUNS, run("year", "dbt_spark", 3.0, differing=4)], failed={})
    assert result["unequal"] == ["dbt_spark: 4 rows of t"]
    assert "Rows are **not** equal (dbt_spark: 4 rows of t)" in page(result)


def cell_with(tmp_path: Path, name: str, rows: pa.Table) -> Cell:
    cell = embedded_cell(tmp_path / name, "us", "127.0.0.1:9")
    catalog = open_catalog(cell)
    catalog.create_namespace("bench")
    catalog.create_table("bench.t", rows.schema).append(rows)
    return cell


def test_rows_are_compared_as_often_as_they_are_there_whatever_the_order_of_columns(
    tmp_path: Path,
) -> None:
    lists = pa.array([["x", None], [], None])
    one = pa.table({"a": [1, 1, 2], "b": [0.1, 0.1, None], "c": lists})
    keep_rows(cell_with(tmp_path, "one", one), "bench.t", tmp_path / "kept.parquet")

    def compared(name: str, rows: pa.Table) -> tuple[int, int]:
        return compare_rows(cell_with(tmp_path, name, rows), "bench.t", tmp_path / "kept.parquet")

    assert compared("same", one.select(["c", "b", "a"]).take([2, 0, 1])) == (3, 0)
    assert compared("once", one.slice(1)) == (2, 1)
    assert compared("digit", one.set_column(1, "b", pa.array([0.1, 0.1 + 1e-16, None]))) == (3, 2)
    with pytest.raises(duckdb.Error, match='"b"'):
        compared("lacks", one.select(["a", "c"]))


def test_peers_audit_what_the_contracts_expect() -> None:
    broken = pl.DataFrame({"o": ["x", "y", None], "n": [0, 5, 11], "m": [-1, 1, None]})
    rules: list[tuple[str, dict[str, Any]]] = [
        ("expect_column_values_to_not_be_null", {"column": "o"}),
        ("expect_column_values_to_be_in_set", {"column": "o", "value_set": ["x"]}),
        ("expect_column_values_to_be_between", {"column": "n", "min_value": 1, "max_value": 10}),
        ("expect_column_values_to_be_between", {"column": "m", "min_value": 0}),
    ]
    expectations = [Expectation(type=kind, kwargs=kwargs) for kind, kwargs in rules]
    unique = Expectation(
        type="expect_compound_columns_to_be_unique", kwargs={"column_list": ["o", "n"]}
    )
    with duckdb.connect() as engine:
        engine.register("t", pl.concat([broken, broken.head(1)]).to_arrow())
        found = [
            len(engine.execute(one.format(table="t")).fetchall())
            for one in audit_statements([*expectations, unique])
        ]
    assert found == [1, 1, 3, 2, 1]
    with pytest.raises(ValueError, match="expect_other"):
        list(audit_statements([Expectation(type="expect_other")]))


def test_flights_are_committed_as_events_with_the_weather_of_their_hour(tmp_path: Path) -> None:
    cell = embedded_cell(tmp_path, "us", "127.0.0.1:9")
    product = flights.departures(tmp_path / "contracts")
    flights.fill(cell, product, 100)
    assert [table.name for table in product.derived_tables] == list(flights.TABLES)
    table = load_table(cell, "departures.events")
    rows = table.scan().to_arrow()
    assert len(rows) == sum(rows_by_hour(table).values()) == 100
    assert rows["time_hour"].to_pylist() == rows["_event_time"].to_pylist()
    assert None not in rows["temp"].to_pylist()
    coordinates = zip(
        rows["_topic_partition"].to_pylist(), rows["_offset"].to_pylist(), strict=True
    )
    assert len(set(coordinates)) == 100


def test_a_contestant_in_an_interpreter_of_its_own_has_the_work_that_was_saved(
    tmp_path: Path,
) -> None:
    place = Place("us", "/data", "2013-01-01T10:00:00+00:00", "2013-01-01T12:00:00+00:00", 2, 9)
    target = Target("t", "SELECT 1", ("SELECT 2", "SELECT 3"))
    work = Work(YEAR[0], "/contracts", "departures.events", (target,), place, place, {"a": "b"})
    work.save(tmp_path / "work.json")
    assert load_work(tmp_path / "work.json") == work
