"""How hours of a table are computed together, told from its contract; and how much at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.batch.planning.range_logic import HourByHour, Ranged, Sequential, range_logic
from pipeline.contract.model import DerivedTable, Logic, Read
from tests.support.orders import SQL, derived

TYPES = {
    "events": {"region": "string", "amount": "bigint", "_event_time": "timestamp"},
    "zones": {"region": "string"},
}


def table(sql: str = SQL, **settings: Any) -> DerivedTable:
    return derived("sales", sql, **settings)


def python() -> Logic:
    return Logic(language="python", text="", file=Path("build.py"))


def test_sql_of_the_hours_own_events_is_ranged() -> None:
    found = range_logic(table(), TYPES)
    assert isinstance(found, Ranged)
    assert found.sql is not None
    assert found.sql != SQL


def test_logic_that_says_that_it_computes_a_range_does_so_itself() -> None:
    for logic in (table("SELECT count(*) AS n FROM events").logic, python()):
        declared = logic.model_copy(update={"incremental_by": "timeRange"})
        reads = (Read(table="events", hours=2), Read(table="other"))
        asked = table(reads=reads).model_copy(update={"logic": declared})
        assert range_logic(asked, {}) == Ranged()


def test_what_reads_itself_is_sequential_whatever_it_says() -> None:
    reads = (Read(table="events"), Read(table="sales", back=1))
    assert isinstance(range_logic(table(reads=reads), TYPES), Sequential)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (table().model_copy(update={"logic": python()}), "Python"),
        (table(reads=(Read(table="events", hours=2),)), "more than the hour's own events"),
        (table(reads=(Read(table="events", back=1),)), "more than the hour's own events"),
        (
            table(reads=(Read(table="events"), Read(table="other"))),
            "more than the hour's own events",
        ),
        (table("SELECT count(*) AS n FROM events"), "without GROUP BY"),
        # The view is there only for who declares it.
        (table("SELECT e.region FROM events e JOIN zones z USING (region)"), "neither events nor"),
    ],
)
def test_other_logic_is_computed_hour_by_hour_and_says_why(
    asked: DerivedTable, reason: str
) -> None:
    found = range_logic(asked, TYPES)
    assert isinstance(found, HourByHour)
    assert reason in found.reason
