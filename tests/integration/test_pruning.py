"""What an hour's build reads: its own hours' files and no others, told by the plans Spark carried out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipeline.batch.compute.hour import compute_hour
from pipeline.batch.model import Source
from pipeline.cells import embedded_cell, save_cell
from pipeline.spark.session import own_session
from pipeline.tables.catalog import load_table
from tests.support.derivations import Chain, chained_product
from tests.support.hour_builds import hour_context
from tests.support.orders import hour
from tests.support.plans import run, scans, shuffles

HOURS = range(1, 5)
COMMITS = 2


@pytest.fixture(scope="module")
def chain(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Four hours, each of two files of events, and `streaks` of all of them published."""
    folder = tmp_path_factory.mktemp("pruning")
    cell = embedded_cell(folder, "us", "127.0.0.1:9")
    save_cell(folder, cell)
    found = Chain(spark, cell, chained_product(folder))
    for _ in range(COMMITS):
        found.orders.append([(hour(number), "north", 1) for number in HOURS])
    assert len(found.build(HOURS, derived_tables=["streaks"])) == len(HOURS)
    return found


@pytest.mark.parametrize(
    ("table", "reads"),
    [
        ("sales", {"events": (3, 4)}),
        ("streaks", {"events": (3, 4), "streaks": (2, 3)}),
        ("tastes", {"streaks": (1, 4)}),
    ],
)
def test_a_build_of_hour_3_reads_the_files_of_its_hours_alone(
    chain: Chain, table: str, reads: dict[str, tuple[int, int]]
) -> None:
    found = scans(plan(chain, table, hour(3)))
    assert {scan.table for scan in found} == set(reads)
    for scan in found:
        first, end = (hour(number) for number in reads[scan.table])
        column = "_event_time" if scan.table == "events" else "hour"
        assert f"{column} >= {micros(first)}, {column} < {micros(end)}" in scan.filters
        files_an_hour = COMMITS if scan.table == "events" else 1
        assert scan.files == files_an_hour * round((end - first).total_seconds() / 3600)
        assert scan.files < len(
            list(load_table(chain.cell, f"orders.{scan.table}").scan().plan_files())
        )


def test_rows_are_spread_anew_only_to_bring_groups_together(chain: Chain) -> None:
    # An hour is one partition of every table: how tables are stored can spare none of these.
    (of_sales,) = shuffles(plan(chain, "sales", hour(3)))
    assert "region" in of_sales
    (of_streaks,) = shuffles(plan(chain, "streaks", hour(3)))
    assert "region" in of_streaks
    (of_tastes,) = shuffles(plan(chain, "tastes", hour(3)))
    assert "region" in of_tastes


def plan(chain: Chain, name: str, of: datetime) -> list[Any]:
    table = next(one for one in chain.product.derived_tables if one.name == name)
    source = load_table(chain.cell, "orders.events").metadata.current_snapshot_id
    assert source is not None
    session = own_session(chain.spark, chain.cell)
    context = hour_context(chain.spark, chain.cell, chain.product, table, of, Source(source, 0))
    return run(compute_hour(session, context, context.hours[0]))


def micros(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)
