"""Which closed hours are built now, together, or later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.batch.planning.due import (
    FIRST_PAUSE,
    MOST_ATTEMPTS,
    MOST_HOURS,
    Attempt,
    HourRange,
    due,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def hour(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)


def hours(first: int, last: int) -> HourRange:
    return HourRange(hour(first), hour(last))


def test_a_backlog_of_adjoining_hours_is_one_range() -> None:
    assert due([hour(n) for n in range(12)], [], NOW).ranges == {hours(0, 11): 1}


def test_hours_apart_are_ranges_apart_oldest_first() -> None:
    assert list(due([hour(5), hour(1), hour(2)], [], NOW).ranges) == [hours(1, 2), hours(5, 5)]


def test_a_range_is_cut_where_it_gets_too_long_to_watch() -> None:
    ranges = list(due([hour(n) for n in range(MOST_HOURS + 1)], [], NOW).ranges)
    assert [r.hours for r in ranges] == [MOST_HOURS, 1]


def test_an_hour_that_just_failed_waits_while_others_are_built() -> None:
    plan = due([hour(0), hour(1)], [Attempt(hours(0, 0), NOW)], NOW)
    assert plan.ranges == {hours(1, 1): 1}
    assert plan.waiting == (hour(0),)


def test_after_its_pause_an_hour_is_tried_again_by_itself() -> None:
    plan = due([hour(0), hour(1)], [Attempt(hours(0, 0), NOW - FIRST_PAUSE)], NOW)
    assert plan.ranges == {hours(0, 0): 2, hours(1, 1): 1}


def test_the_pause_doubles_with_each_attempt() -> None:
    failed = [Attempt(hours(0, 0), NOW - FIRST_PAUSE * n) for n in (1, 4)]
    assert due([hour(0)], failed, NOW).waiting == (hour(0),)
    assert due([hour(0)], failed, NOW + FIRST_PAUSE).ranges == {hours(0, 0): 3}


def test_an_hour_that_keeps_failing_is_left_to_somebody() -> None:
    failed = [Attempt(hours(0, 0), NOW - timedelta(days=n)) for n in range(MOST_ATTEMPTS)]
    plan = due([hour(0)], failed, NOW)
    assert plan.ranges == {}
    assert plan.given_up == (hour(0),)


def test_nothing_due_is_an_empty_plan() -> None:
    assert due([], [], NOW).ranges == {}
