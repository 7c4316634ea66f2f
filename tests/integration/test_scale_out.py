"""The hourly job on Spark elsewhere, by the cell's settings alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.batch.publications import read_publications
from pipeline.cells import Cell, save_cell
from pipeline.tables.catalog import load_table
from tests.support.orders import Orders, hour, orders_product
from tests.support.own_process import Job, elsewhere
from tests.support.spark_servers import connect_server, standalone, tasks_by_executor

MADE = [(hour(1), region, amount) for amount in range(20) for region in "abcdefgh"]
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A JVM that works for seconds pays more for good machine code than it gains by it."""


@dataclass(frozen=True)
class Shop:
    """A cell with an hour of orders, and the job that builds it."""

    home: Path
    cell: Cell
    orders: Orders
    job: Job

    def configure(self, spark: Mapping[str, Any]) -> None:
        """Write the cell's Spark settings where a person would."""
        save_cell(self.home, replace(self.cell, spark=spark))

    def published(self) -> list[tuple[str, int, int]]:
        rows = load_table(self.cell, "orders.sales").scan().to_arrow().to_pylist()
        assert {row["hour"] for row in rows} == {hour(1)}
        return sorted((row["region"], row["orders"], row["amount"]) for row in rows)


@pytest.fixture
def shop(home: Path, quiet_cell: Cell, tmp_path: Path, spark_jars: tuple[Path, ...]) -> Shop:
    orders = Orders(quiet_cell)
    source = orders.append(MADE)
    return Shop(home, quiet_cell, orders, Job(home, orders_product(tmp_path), source))


def test_a_standalone_cluster_publishes_what_plain_python_computes_on_both_its_workers(
    shop: Shop, tmp_path: Path
) -> None:
    events = tmp_path / "event-logs"
    events.mkdir()
    with standalone(tmp_path / "cluster") as cluster:
        shop.configure(
            {
                "spark.master": cluster.master,
                "spark.cores.max": 2,
                "spark.executor.memory": "512m",
                "spark.executor.extraJavaOptions": SHORT_LIVED,
                "spark.driver.extraJavaOptions": SHORT_LIVED,
                "spark.eventLog.enabled": True,
                "spark.eventLog.compress": False,
                "spark.eventLog.dir": events.as_uri(),
                # Both executors are waited for, and every shuffle is as many tasks.
                "spark.scheduler.minRegisteredResourcesRatio": 1.0,
                "spark.sql.adaptive.enabled": False,
            }
        )
        publications = elsewhere(shop.job.build, [hour(1)])
        first, second = cluster.executors()

    assert shop.published() == shop.orders.expected(hour(1)) != []
    assert tuple(publications) == read_publications(shop.cell, "orders")
    ran = tasks_by_executor(events)
    assert set(ran) == first | second, "no task ran in the driver"
    assert all(sum(ran[executor] for executor in worker) > 0 for worker in (first, second))


def test_a_connect_server_publishes_the_same_and_tells_an_outdated_staging_by_name(
    shop: Shop, tmp_path: Path, spark_jars: tuple[Path, ...]
) -> None:
    with connect_server(tmp_path / "server", spark_jars) as address:
        shop.configure({"spark.remote": address, "spark.sql.shuffle.partitions": 2})
        audits = elsewhere(shop.job.build_overtaken, hour(1))

    assert audits == 3, "the overtaken hour was staged and audited again"
    assert shop.published() == shop.orders.expected(hour(1)) != []
