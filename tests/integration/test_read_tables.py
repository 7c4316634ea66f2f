"""The settings that docs/how-to/read-tables.md gives to a reader's own Spark."""

from __future__ import annotations

import re
from pathlib import Path

from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.settings import PROJECT
from pipeline.table_changes.archive import archive_changes
from tests.support.code_blocks import blocks
from tests.support.orders import Orders, hour

PAGE = "docs/how-to/read-tables.md"


def test_spark_reads_events_by_the_settings_and_the_query_of_the_page(
    spark: SparkSession, quiet_cell: Cell
) -> None:
    orders = Orders(quiet_cell)
    orders.append([(hour(0), "eu", 1), (hour(1), "us", 2)])
    properties, query = blocks(PROJECT, PAGE)[2:4]
    session = spark.newSession()
    for line in properties.text.splitlines():
        key, _, value = line.partition("=")
        session.conf.set(key, here(quiet_cell, value))
    (row,) = session.sql(query.text.replace("viewing_events", "orders")).collect()
    assert (row.events, row.last) == (2, orders.rows[-1]["_offset"])


def test_spark_is_asked_of_changes_as_the_reference_architecture_asks(
    spark: SparkSession, quiet_cell: Cell
) -> None:
    orders = Orders(quiet_cell)
    snapshots = [orders.append([(hour(0), "eu", 1)] * 2) for _ in range(3)]
    archive_changes(quiet_cell, "orders.events")
    session = spark.newSession()
    for line in blocks(PROJECT, PAGE)[2].text.splitlines():
        key, _, value = line.partition("=")
        session.conf.set(key, here(quiet_cell, value))
    session.sql("USE us.orders")
    asked = "SELECT lineage FROM table_changes WHERE source_topic = 'orders' AND offset > 2"
    found = sorted(row.lineage[0].first_offset for row in session.sql(asked).collect())
    assert found == [2, 4]
    (view,) = (one.text for one in blocks(PROJECT, "docs/how-to/sql.md") if one.language == "sql")
    history = session.sql(view.replace("viewing_events", "orders"))
    history.createOrReplaceTempView("table_history")
    (row,) = session.sql(
        f"SELECT * FROM table_history WHERE snapshot_id = {snapshots[1]}"
    ).collect()
    assert (row.parent_id, row.total_rows, row.job) == (snapshots[0], 4, "ingest")


def here(cell: Cell, value: str) -> str:
    """Return a value of the page, which is of a home in the working directory, for the test's cell."""
    folder = Path(cell.warehouse.removeprefix("file://")).parent
    return re.sub(r"\.headwater/cells/us", str(folder), value)
