"""Sessions built hour by hour are the sessions of the whole stream."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pyspark.sql import SparkSession

from tests.support.derived import Frames, compute_hours, rows
from tests.support.viewing_by_hand import (
    HOUR,
    View,
    events_table,
    reference_tables,
    session_rows,
)
from tests.support.viewing_streams import FIRST, GAP, HOURS, MICROSECOND, WORLD, streams

TABLE = "viewing_features_raw"
ROW = ("user_id", "region", "session_id")
MINUTE = timedelta(minutes=1)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def session(spark: SparkSession) -> SparkSession:
    return spark.newSession()


def frames(session: SparkSession) -> Frames:
    return {name: session.createDataFrame(t) for name, t in reference_tables(WORLD).items()}


def built(
    session: SparkSession,
    views: Sequence[View],
    hours: Sequence[datetime] = HOURS,
    together: int = 1,
) -> list[Rows]:
    events = events_table(views)
    tables = compute_hours(session, TABLE, events, hours, frames(session), together)
    return [rows(tables[hour], ROW) for hour in hours]


def by_hand(views: Sequence[View], hour: datetime) -> Rows:
    return sorted(
        session_rows(WORLD, views, hour), key=lambda row: tuple(str(row[name]) for name in ROW)
    )


@given(views=streams(users=40))
@settings(
    max_examples=1,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_hours_built_one_after_another_or_at_once_have_the_sessions_of_the_whole_stream(
    session: SparkSession, views: list[View]
) -> None:
    hour_by_hour = built(session, views)
    for hour, found in zip(HOURS, hour_by_hour, strict=True):
        assert found == by_hand(views, hour)
    for together in (2, 3, len(HOURS)):
        assert built(session, views, together=together) == hour_by_hour


def test_the_order_of_rows_and_the_number_of_partitions_change_nothing(
    session: SparkSession,
) -> None:
    rng = random.Random(5)  # noqa: S311 - repeatable, not secret
    views = [
        View(
            f"u{rng.randrange(40)}",
            FIRST + rng.randrange(0, 120) * MINUTE,
            rng.choice(("c1", "c2", "c4")),
            rng.randrange(4_000),
            rng.choice(("tv", "mobile")),
            rng.choice(("us-east", "eu-central")),
            rng.random(),
        )
        for _ in range(1_500)
    ]
    other = session.newSession()
    other.conf.set("spark.sql.shuffle.partitions", "7")
    other.conf.set("spark.sql.adaptive.enabled", "false")
    assert built(other, rng.sample(views, len(views)), HOURS[:2]) == built(
        session, views, HOURS[:2]
    )


AT = FIRST + 45 * MINUTE
CHANGED = FIRST + HOUR + 10 * MINUTE
EXAMPLES = [
    *(View("half an hour", at) for at in (AT, AT + GAP)),
    *(View("a moment more", at) for at in (AT, AT + GAP + MICROSECOND)),
    *(View("over midnight", FIRST + 25 * MINUTE * n, seconds=100) for n in range(9)),
    View("traveller", FIRST + 40 * MINUTE, region="us-east"),
    View("traveller", FIRST + 50 * MINUTE, region="eu-central"),
    View("traveller", FIRST + 70 * MINUTE, region="eu-central"),
    View("broken", FIRST, "c1", 1_500, "tv", "us-east", 0.5),
    View("broken", FIRST, "c1", 6_000, "tv", "us-east", 0.95),
    View("broken", FIRST, "c1", -1, "tv", "us-east", 1.5),
    View("broken", FIRST, "none", 60, "fridge", "us-east", None),
    *(View("changed", at) for at in (CHANGED - MICROSECOND, CHANGED, FIRST + 2 * HOUR)),
    *(View("parted", FIRST + n * MINUTE) for n in (5, 50, 75)),
    *(View("joined by a late event", FIRST + n * MINUTE) for n in (5, 50, 75, 30)),
    View(None, FIRST),
    View("", FIRST),
]


@pytest.fixture(scope="module", params=[1, 4])
def examples(session: SparkSession, request: pytest.FixtureRequest) -> list[Rows]:
    """The rows of four hours of all the examples, hour by hour and in one range."""
    return built(session, EXAMPLES, together=request.param)


def of(examples: list[Rows], user: str) -> list[Rows]:
    return [[row for row in hour if row["user_id"] == user] for hour in examples]


def test_a_session_goes_on_over_a_gap_of_half_an_hour_and_no_longer(examples: list[Rows]) -> None:
    (before,), (after,), *_ = of(examples, "half an hour")
    assert (after["continued"], after["session_start"]) == (True, AT)
    assert (after["session_events"], after["events"]) == (2, 1)
    assert after["session_id"] == before["session_id"]
    (before,), (after,), *_ = of(examples, "a moment more")
    assert (after["continued"], after["session_start"]) == (False, AT + GAP + MICROSECOND)
    assert after["session_id"] != before["session_id"]


def test_a_session_over_four_hours_and_midnight_keeps_its_start_and_adds_up(
    examples: list[Rows],
) -> None:
    found = [row for hour in of(examples, "over midnight") for row in hour]
    assert [row["events"] for row in found] == [3, 2, 3, 1]
    assert [row["session_events"] for row in found] == [3, 5, 8, 9]
    assert [row["session_watch_seconds"] for row in found] == [300, 500, 800, 900]
    assert {row["session_start"] for row in found} == {FIRST}
    assert [row["session_end"] for row in found] == [
        FIRST + timedelta(minutes=minutes) for minutes in (50, 100, 175, 200)
    ]


def test_who_changes_region_within_a_session_has_a_row_for_each_region_of_one_session(
    examples: list[Rows],
) -> None:
    first, second, *_ = of(examples, "traveller")
    assert [(row["region"], row["events"]) for row in first] == [("eu-central", 1), ("us-east", 1)]
    assert [row["session_events"] for row in first] == [2, 2]
    assert [row["session_end"] for row in first] == [FIRST + 50 * MINUTE] * 2
    assert [(row["region"], row["session_events"]) for row in second] == [("eu-central", 3)]
    assert len({row["session_id"] for row in first + second}) == 1


def test_what_is_counted_by_pattern_leaves_out_values_that_break_a_rule(
    examples: list[Rows],
) -> None:
    (row,) = of(examples, "broken")[0]
    assert (row["events"], row["watch_seconds"]) == (4, 7_560)
    assert row["patterns"] == [
        {
            "genre": "drama",
            "device_type": "tv",
            "daypart": "afternoon",
            "events": 3,
            "watch_seconds": 7_500,
            "viewed_micros": 1_500_000,
            "completion_events": 2,
            "completion_micros": 1_450_000,
            "finished": 1,
        },
        {
            "genre": "unknown",
            "device_type": "unknown",
            "daypart": "afternoon",
            "events": 1,
            "watch_seconds": 60,
            "viewed_micros": 0,
            "completion_events": 0,
            "completion_micros": 0,
            "finished": 0,
        },
    ]


def test_a_genre_is_what_it_was_when_the_event_happened(examples: list[Rows]) -> None:
    _, (second,), (third,), _ = of(examples, "changed")
    assert [each["genre"] for each in second["patterns"]] == ["comedy", "drama"]
    assert [each["genre"] for each in third["patterns"]] == ["crime"]


def test_a_late_event_that_joins_two_sessions_changes_what_the_next_hour_says(
    examples: list[Rows],
) -> None:
    (row,) = of(examples, "parted")[1]
    assert (row["session_start"], row["session_events"]) == (FIRST + 50 * MINUTE, 2)
    (row,) = of(examples, "joined by a late event")[1]
    assert (row["session_start"], row["session_events"]) == (FIRST + 5 * MINUTE, 4)


def test_events_of_no_account_are_in_no_session(examples: list[Rows]) -> None:
    assert {row["user_id"] for row in examples[0]} == {
        view.user for view in EXAMPLES if view.user and view.at < FIRST + HOUR
    }
