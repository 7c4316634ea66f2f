"""Features of an account: what it watched in 168 hours, weighted by recency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from benchmarks.hourly.contestants import statement
from pipeline.batch.compute.inputs import RangeInputs
from tests.support.derived import logic, rows, table
from tests.support.viewing_by_hand import (
    HOUR,
    View,
    events_table,
    feature_rows,
    session_rows,
)
from tests.support.viewing_streams import FIRST, WORLD, streams

TABLE = "user_preference_features"
ENTITY = ("user_id", "region")
NOW = FIRST + HOUR
WEEK = (NOW - 169 * HOUR, NOW - 167 * HOUR, NOW - 50 * HOUR, NOW)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def session(spark: SparkSession) -> SparkSession:
    return spark.newSession()


def sessions_table(views: Sequence[View]) -> pa.Table:
    hours = {view.at.replace(minute=0, second=0, microsecond=0) for view in views}
    return pa.Table.from_pylist(
        [row | {"hour": hour} for hour in sorted(hours) for row in session_rows(WORLD, views, hour)]
    )


def build(
    session: SparkSession, sessions: pa.Table, start: datetime = NOW, hours: int = 1
) -> DataFrame:
    raw = session.createDataFrame(sessions)
    inputs = RangeInputs(start, start + hours * HOUR, {"viewing_features_raw": raw}, {})
    return logic(TABLE).build(inputs)


def built(session: SparkSession, views: Sequence[View]) -> Rows:
    return rows(build(session, sessions_table(views)).toArrow(), ENTITY)


def by_hand(views: Sequence[View], hour: datetime) -> Rows:
    return sorted(feature_rows(WORLD, views, hour), key=lambda row: (row["user_id"], row["region"]))


@given(views=streams(users=40, starts=WEEK))
@settings(
    max_examples=1,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_features_are_those_of_the_events_themselves_and_of_plain_sql(
    session: SparkSession, views: list[View]
) -> None:
    always = [View("u", NOW), View("u", NOW - 167 * HOUR), View("u", NOW - 168 * HOUR)]
    mine = [*views, *always]
    found = built(session, mine)
    assert found == by_hand(mine, NOW)
    session.createDataFrame(sessions_table(mine)).createOrReplaceTempView("sessions")
    at = f"{NOW:%Y-%m-%d %H:%M:%S}+00:00"
    insert = statement("spark", TABLE, target="nothing", hour=at, sessions="sessions")
    assert found == rows(session.sql(insert.partition("\n")[2]).toArrow(), ENTITY)


def test_each_hour_of_a_range_has_the_features_that_it_has_alone(session: SparkSession) -> None:
    first = NOW - 3 * HOUR
    views = [
        View(f"u{n % 5}", NOW - (n % 9 + n // 9 % 3 * 83) * HOUR, ("c1", "c4")[n % 2], 100 * n)
        for n in range(90)
    ]
    together = build(session, sessions_table(views), first, hours=5).toArrow()
    found = []
    for number in range(5):
        hour = first + number * HOUR
        of_hour = together.filter(pc.equal(together["hour"], pa.scalar(hour)))
        found.append(rows(of_hour, ENTITY))
        assert found[-1] == by_hand(views, hour), hour
    assert [bool(each) for each in found] == [True, True, True, True, False]


def test_the_order_of_rows_and_the_number_of_partitions_change_nothing(
    session: SparkSession,
) -> None:
    views = [
        View(f"u{n % 9}", NOW - n % 11 * 7 * HOUR, ("c1", "c4")[n % 2], 100 * n) for n in range(300)
    ]
    table = sessions_table(views)
    other = session.newSession()
    other.conf.set("spark.sql.shuffle.partitions", "7")
    other.conf.set("spark.sql.adaptive.enabled", "false")
    backwards = table.take(list(reversed(range(table.num_rows))))
    assert rows(build(other, backwards).toArrow(), ENTITY) == rows(
        build(session, table).toArrow(), ENTITY
    )


def test_the_worked_example_of_the_docs(session: SparkSession) -> None:
    # Local time in New York is five hours behind: 23:00 UTC is the evening, a UTC noon is the morning.
    views = [
        View("u", NOW, "c1", 1_500, "tv", "us-east", 0.5),
        View("u", NOW - 48 * HOUR - 11 * HOUR, "c1", 3_000, "mobile", "us-east", 1.0),
        View("u", NOW - 48 * HOUR, "c1", 3_000, "tv", "us-east", 0.95),
        View("gone", NOW - HOUR),
    ]
    (row,) = built(session, views)
    # 1 + 4 * 0.5 = 3 now; 0.5 * (1 + 4 * 1) = 2.5 two days ago; 0.4266 * 5 = 2.133 eleven hours before.
    assert row["confidence"] == pytest.approx(3 + 2.5 + 2.133)
    assert [
        (p["genre"], p["device_type"], p["daypart"], round(p["affinity"], 4))
        for p in row["watch_pattern_affinity"]
    ] == [("drama", "tv", "evening", 0.7206), ("drama", "mobile", "morning", 0.2794)]
    assert [(d["device_type"], round(d["affinity"], 4)) for d in row["device_affinity"]] == [
        ("tv", 0.7206),
        ("mobile", 0.2794),
    ]
    assert [g["affinity"] for g in row["genre_affinity"]] == [1.0]
    # (0.5 + 0.4266) / (1 + 0.5 + 0.4266) of the events reached the end.
    assert row["completion_rate"] == pytest.approx(0.4810, abs=5e-5)
    assert (row["sessions"], row["events"], row["watch_seconds"]) == (3, 3, 7_500)
    assert row["snapshot_date"] == NOW.date()


def test_an_audit_refuses_an_hour_that_lacks_half_a_percent_of_its_segments(
    session: SparkSession,
) -> None:
    from quality.audit import audit

    views = [View(f"u{n}", NOW + timedelta(seconds=n), region=None) for n in range(400)]
    session.createDataFrame(events_table(views)).createOrReplaceTempView("events")
    frame = build(session, sessions_table(views)).cache()
    frame.where("false").createOrReplaceTempView("previous")
    contract = table(TABLE)
    staged = frame.withColumn("build", sf.lit("a staging"))
    assert [(each.type, each.observed) for each in audit(staged, contract).failed] == []
    queries = [one for one in contract.expectations if one.type == "unexpected_rows_expectation"]
    alone = {"expectations": tuple(queries), "columns": (), "feature": None}
    asked = contract.model_copy(update=alone)
    assert audit(frame.where("user_id <> 'u7'"), asked).failed == ()
    (failed,) = audit(frame.where("user_id NOT IN ('u7', 'u8')"), asked).failed
    assert "99.5" in failed.description
