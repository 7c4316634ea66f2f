"""From events to training rows through `headwater` alone, as docs/how-to/python.md does it."""

from __future__ import annotations

import shutil
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import SparkSession

import headwater
from tests.support.openlineage_schemas import lineage_of
from tests.support.products import own_product

DERIVED = Path(__file__).parent.parent / "data" / "derived"
SENSORS = ("attic", "cellar", "garden")
pytestmark = pytest.mark.timeout(600)
TABLES = ("readings_hourly", "sensor_runs", "sensor_features")


@pytest.fixture
def product(tmp_path: Path) -> headwater.Product:
    """Readings of sensors: a table by SQL, one by Python of that and of itself, and features of it."""
    folder = own_product("strict_events", tmp_path / "contracts").folder
    for derived in DERIVED.iterdir():
        shutil.copytree(derived, folder.parent / derived.name)
    return headwater.load_product(folder)


def send(cell: headwater.Cell, product: headwater.Product, first: datetime, hours: int) -> int:
    """Send a reading a minute of each sensor; return how many."""
    headwater.ensure_topic(cell, product)
    writer = headwater.EventWriter(cell, product, headwater.open_registry(cell))
    sent = 0
    for minute in range(60 * hours):
        at = int((first + timedelta(minutes=minute)).timestamp() * 1_000_000)
        for value, sensor in enumerate(SENSORS):
            payload = {"sensor": sensor, "at": at, "value": value, "note": None}
            writer.send(payload, key=sensor, event_time=at, uuid=str(uuid.uuid4()))
            sent += 1
    writer.flush()
    writer.close()
    return sent


def test_events_become_training_rows(
    cell: headwater.Cell, product: headwater.Product, spark: SparkSession
) -> None:
    began = datetime.now(UTC)
    first = began.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    sent = send(cell, product, first, hours=2)

    assert not headwater.plan_ingest(cell, product).is_empty
    report = headwater.ingest(cell, product, once=True)
    assert (report.rows, report.dead_letters) == (sent, 0)
    assert headwater.read_ledger(cell, product).totals.rows == sent
    assert headwater.verify_ledger(cell, product).balanced

    with headwater.hold_lock(headwater.batch_lock(cell, product.name), "a test"):
        plan = headwater.plan_hours(product, headwater.read_plan_inputs(cell, product))
        built = [*headwater.build_hours(cell, product, plan, spark=spark)]
    with_rows = [one for one in built if one.publication is not None and one.publication.rows]
    hours = [first, first + timedelta(hours=1)]
    assert [(one.build.hour, one.build.derived_table) for one in with_rows] == [
        (hour, table) for table in TABLES for hour in hours
    ]
    assert all(one.verdict is not None and one.verdict.passed for one in with_rows)
    check_lineage(cell, hours)

    rows, status = headwater.read_served(cell, product, "sensor_features")
    assert status.newest_hour == hours[-1]
    assert {*rows.get_column("sensor")} == {*SENSORS}

    times = [began, datetime.now(UTC)]
    spine = pl.DataFrame({"sensor": ["attic", "garden"], "event_time": times})
    training = headwater.get_historical_features(
        cell, product, "sensor_features", spine, timestamp="event_time", features=["longest"]
    )
    # When it began nothing was published; now each sensor has been read for two hours.
    assert training.get_column("longest").to_list() == [None, 2]


def check_lineage(cell: headwater.Cell, hours: list[datetime]) -> None:
    """Hold all that ingest, hours and audits have told to OpenLineage's schemas, and to each other."""
    events = lineage_of(cell)
    states = Counter((event["job"]["name"], event["eventType"]) for event in events)
    build = next(one for one in events if one["job"]["name"] == "strict_events.hours")
    for table in TABLES:
        name = f"strict_events.{table}"
        assert states[f"{name}.audit", "START"] == states[f"{name}.audit", "COMPLETE"] == len(hours)
        assert states[name, "START"] == states[name, "COMPLETE"] >= len(hours)
    jobs = {event["run"]["runId"]: event["job"]["name"] for event in events}
    for event in events:
        parent = event["run"]["facets"].get("parent")
        if parent is not None:
            assert jobs[parent["run"]["runId"]] == parent["job"]["name"]
            assert parent["root"]["run"]["runId"] == build["run"]["runId"]
    (audit, *_) = (
        one["inputs"][0]["inputFacets"]
        for one in events
        if one["job"]["name"] == "strict_events.readings_hourly.audit"
        and one["eventType"] == "COMPLETE"
    )
    assert audit["dataQualityMetrics"]["rowCount"] == len(SENSORS)
    assert all(one["success"] for one in audit["dataQualityAssertions"]["assertions"])


def test_a_session_that_was_given_is_left_running(
    cell: headwater.Cell, product: headwater.Product, spark: SparkSession
) -> None:
    send(cell, product, datetime.now(UTC) - timedelta(hours=3), hours=1)
    headwater.ingest(cell, product, once=True)
    plan = headwater.plan_hours(
        product, headwater.read_plan_inputs(cell, product), derived_tables=["readings_hourly"]
    )
    assert plan.builds
    assert [*headwater.build_hours(cell, product, plan, spark=spark, run_id="mine")]
    assert spark.sql("SELECT 1").collect()


def test_errors_are_told_apart_by_name_and_by_kind(
    cell: headwater.Cell, product: headwater.Product
) -> None:
    with pytest.raises(headwater.CellNotFoundError) as unknown:
        headwater.load_cell(cell.root.parent.parent, "nowhere")
    assert isinstance(unknown.value, headwater.TerminalError)
    with (
        headwater.hold_lock(headwater.batch_lock(cell, product.name), "one"),
        pytest.raises(headwater.LockHeldError) as held,
        headwater.hold_lock(headwater.batch_lock(cell, product.name), "other", wait_s=0),
    ):
        pytest.fail("two hold the lock")
    assert isinstance(held.value, headwater.RetryableError)
