"""The benchmarks, small: that they measure what they say, never how fast it is."""

from __future__ import annotations

import uuid
from pathlib import Path
from xml.etree import ElementTree

from pyspark.sql import SparkSession

from benchmarks import filling, results
from benchmarks.backlog.document import document as backlog_document
from benchmarks.backlog.page import page as backlog_page
from benchmarks.backlog.page import plot as backlog_plot
from benchmarks.backlog.run import Order as BacklogOrder
from benchmarks.backlog.run import measure as work_off
from benchmarks.freshness.document import document as freshness_document
from benchmarks.freshness.page import page as freshness_page
from benchmarks.freshness.page import plot as freshness_plot
from benchmarks.freshness.run import Order, measure
from benchmarks.hourly import prepare as hourly
from benchmarks.hourly.contestants import TABLES, contestant
from benchmarks.hourly.figures import differences, figures
from benchmarks.publish.document import document as publish_document
from benchmarks.publish.document import page as publish_page
from benchmarks.publish.document import plot as publish_plot
from benchmarks.publish.run import Order as PublishOrder
from benchmarks.publish.run import publish_hours
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.settings import load_settings
from tests.support.products import own_product

RATE, SECONDS, WARM_UP_S = 300, 8, 4


def test_freshness_sees_every_record_once(cell: Cell, tmp_path: Path) -> None:
    product = own_product("viewing_events", tmp_path / "contracts", load_settings().contracts)
    order = Order(rate=RATE, seconds=SECONDS, warm_up_s=WARM_UP_S, maintain_every_s=3)
    measured = measure(cell, product, order, lambda _: None)
    assert measured.warm_up.records == RATE * WARM_UP_S
    assert measured.steady.records == RATE * SECONDS
    assert measured.held.exact
    assert measured.rounds
    assert sum(sighting.rows for sighting in measured.sightings) == measured.held.sent
    assert len({sighting.snapshot_id for sighting in measured.sightings}) == len(measured.sightings)

    result = freshness_document(order, measured)
    results.write(result, "freshness", tmp_path / "freshness.json")
    assert result["freshness"]["rows"] == measured.steady.records
    assert result["warm_up"]["rows"] == measured.warm_up.records
    ElementTree.fromstring(freshness_plot(result))  # noqa: S314 - our own
    assert f"{result['freshness']['p95_s']:.2f} s" in freshness_page(result)


def test_a_backlog_is_worked_off_once_while_memory_is_sampled(cell: Cell, tmp_path: Path) -> None:
    product = filling.plain_product(tmp_path / "contracts", f"plain_{uuid.uuid4().hex[:8]}")
    order = BacklogOrder(events=200_000)
    measured = work_off(cell, product, order, lambda _: None)
    assert measured.held.exact
    drained = measured.drained
    assert drained.samples[-1].rows <= order.events
    assert drained.peak_mb >= max(s.rss_mb for s in drained.samples) > drained.idle_mb > 50

    result = backlog_document(order, 10_000.0, product.topic.partitions, measured)
    results.write(result, "backlog", tmp_path / "backlog.json")
    assert result["met"] is not False
    assert result["asked"]["partitions"] == 16
    reading = result["skipping"]["account_in_minute"]
    assert reading["files"] < result["files"]["count"]
    ElementTree.fromstring(backlog_plot(result))  # noqa: S314 - our own
    assert f"{result['memory']['peak_mb']:,.0f} MB" in backlog_page(result)


def test_contestants_of_the_hourly_build_give_the_same_rows(
    spark: SparkSession, quiet_cell: Cell
) -> None:
    product, hour = hourly.viewing_product(), hourly.THE_HOUR
    hourly.fill(quiet_cell, product, 2_000)
    hourly.build_before(spark, quiet_cell, product)
    # Audits of these tables have tests of their own.
    hourly.build(spark, quiet_cell, product, [hour], TABLES)
    ours = figures(contestant("headwater").files(quiet_cell, hour))
    assert ours["content_engagement_hourly"]["views"] == 2_000
    assert ours["viewing_features_raw"]["continued"] > 0
    assert ours["user_preference_features"]["events"] > 2_000
    for name in ("spark_sql", "duckdb_sql"):
        contestant(name).start(quiet_cell, hour).run(quiet_cell)
        assert differences(ours, figures(contestant(name).files(quiet_cell, hour))) == []


def test_publishing_is_timed_for_every_hour_of_every_table(
    spark: SparkSession, quiet_cell: Cell, tmp_path: Path
) -> None:
    product, order = hourly.viewing_product(), PublishOrder(hours=2, events=500)
    hourly.fill(quiet_cell, product, order.events, order.hours)
    published = publish_hours(spark, quiet_cell, product, order.hours, lambda _: None)
    assert {(one.table, one.hour) for one in published} == {
        (table.name, hourly.THE_HOUR - n * HOUR)
        for table in product.derived_tables
        for n in range(2)
    }
    assert all(0 < one.publish_s < one.settle_s for one in published)

    result = publish_document(order, published)
    results.write(result, "publish", tmp_path / "publish.json")
    assert result["publish"]["count"] == len(published)
    ElementTree.fromstring(publish_plot(result))  # noqa: S314 - our own
    assert f"{result['publish']['p95_s']:.2f} s" in publish_page(result)
