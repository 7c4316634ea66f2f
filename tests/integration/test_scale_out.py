"""The hourly job on Spark elsewhere, by the cell's settings alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.batch.errors import StagingOutdatedError
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.control.publications import read_publications
from tests.support.derivations import Chain, chained_product
from tests.support.orders import hour, orders_product, ranked
from tests.support.own_process import build_and_outdate, build_plan, elsewhere
from tests.support.spark_servers import connect_server, standalone, tasks_by_executor

ORDERS = [(hour(1), region, amount) for amount in range(20) for region in "abcdefgh"]
NEXT = [(hour(2), region, 3 * amount) for amount in range(7) for region in "efghij"]
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A JVM that works for seconds pays more for good machine code than it gains by it."""


@pytest.fixture
def chain(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Chain:
    """An hour of orders in a cell whose Spark a test configures; nothing is built of it here."""
    chain = Chain(spark, quiet_cell, chained_product(tmp_path))
    chain.orders.append(ORDERS)
    return chain


def test_a_standalone_cluster_publishes_what_plain_python_computes_on_both_its_workers(
    chain: Chain, home: Path, tmp_path: Path
) -> None:
    events = tmp_path / "event-logs"
    events.mkdir()
    with standalone(tmp_path / "cluster") as cluster:
        settings = {
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
        save_cell(home, replace(chain.cell, spark=settings))
        plan = chain.plan([1], derived_tables=["sales"])
        publications = elsewhere(build_plan, home, chain.product, plan)
        first, second = cluster.executors()

    rows = [(row["region"], row["orders"], row["amount"]) for row in chain.rows("sales")]
    assert sorted(rows) == chain.orders.expected(hour(1)) != []
    assert tuple(publications) == read_publications(chain.cell, "orders")
    ran = tasks_by_executor(events)
    assert set(ran) == first | second, "no task ran in the driver"
    assert all(sum(ran[executor] for executor in worker) > 0 for worker in (first, second))


def test_a_connect_server_publishes_what_a_local_run_does_and_tells_an_outdated_staging_by_name(
    chain: Chain, home: Path, tmp_path: Path, spark_jars: tuple[Path, ...]
) -> None:
    chain.product = orders_product(tmp_path, *chain.product.derived_tables, ranked())
    with connect_server(tmp_path / "server", spark_jars) as address:
        settings = {"spark.remote": address, "spark.sql.shuffle.partitions": 2}
        save_cell(home, replace(chain.cell, spark=settings))
        chain.orders.append(NEXT)
        refused = elsewhere(build_and_outdate, home, chain.product, chain.plan([1, 2]))
    assert refused == StagingOutdatedError.__name__

    local = Chain(chain.spark, embedded_cell(tmp_path / "local", "us", ""), chain.product)
    local.orders.append(ORDERS)
    local.orders.append(NEXT)
    local.build([1])
    local.build([2])
    for table in ("sales", "streaks", "tastes", "ranked"):
        assert chain.rows(table) == local.rows(table) != [], table
