"""How much is built together, by what Spark may hold and how large events are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.batch.planning.read_range import (
    read_custom_queries,
    read_range_bounds,
    read_range_logic,
)
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.load import load_product
from pipeline.hours.rows import rows_by_hour
from pipeline.settings import PROJECT
from pipeline.tables.catalog import load_table
from pipeline.tables.data_files.hourly import files_by_hour
from tests.support.orders import Orders, hour, orders_product


def test_contracts_of_this_repository_are_ranged_where_they_can_be() -> None:
    products = [
        load_product(PROJECT / "contracts" / name) for name in ("viewing_events", "departures")
    ]
    found = {name: one for product in products for name, one in read_range_logic(product).items()}
    assert {name: type(logic).__name__ for name, logic in found.items()} == {
        "content_engagement_hourly": "Ranged",
        "departure_delays_hourly": "Ranged",
        "viewing_features_raw": "Ranged",
        "user_preference_features": "Ranged",
    }


def test_custom_queries_of_this_repository_are_counted_of_all_hours_at_once() -> None:
    found = read_custom_queries(load_product(PROJECT / "contracts" / "viewing_events"))
    (completeness,) = found.pop("user_preference_features")
    assert completeness.name.startswith("More than 99.5 % of the segments")
    assert completeness.of_range is not None
    assert set(found.values()) == {()}


@pytest.mark.parametrize(
    ("spark", "memory"),
    [
        ({}, 2**30),
        ({"spark.driver.memory": "4g"}, 2**32),
        ({"spark.driver.memory": "2048MB"}, 2**31),
        ({"spark.driver.memory": "512"}, 2**29),
        ({"spark.driver.memory": "4g", "spark.master": "local[2]"}, 2**32),
        ({"spark.master": "spark://there:7077", "spark.executor.memory": "8g"}, 2**33),
        ({"spark.remote": "sc://there"}, 2**30),
        ({"spark.driver.memory": "plenty"}, 2**30),
    ],
)
def test_files_of_a_range_take_a_fourth_of_sparks_memory(
    quiet_cell: Cell, spark: dict[str, str], memory: int
) -> None:
    orders = Orders(quiet_cell)
    orders.append((hour(1) + n * HOUR / 90, "eu", n) for n in range(90))
    table = load_table(quiet_cell, "orders.events")
    size = sum(
        one.file.file_size_in_bytes for each in files_by_hour(table).values() for one in each
    )
    assert sum(rows_by_hour(table).values()) == 90
    bounds = read_range_bounds(replace(quiet_cell, spark=spark), orders_product(Path("contracts")))
    assert bounds.rows == pytest.approx(memory / 4 / (size / 90), rel=1e-3)


def test_before_there_are_events_a_range_is_bounded_too(quiet_cell: Cell) -> None:
    Orders(quiet_cell)
    assert read_range_bounds(quiet_cell, orders_product(Path("contracts"))).rows > 1_000_000


def test_over_spark_connect_hours_that_are_computed_one_by_one_are_no_range(
    quiet_cell: Cell,
) -> None:
    Orders(quiet_cell)
    product = orders_product(Path("contracts"))
    here = read_range_bounds(quiet_cell, product)
    remote = replace(quiet_cell, spark={"spark.remote": "sc://there"})
    assert here.one_by_one > 1
    assert read_range_bounds(remote, product) == replace(here, one_by_one=1)
