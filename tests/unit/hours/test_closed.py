"""When an hour is closed, and when it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.hours.closed import candidate_hours, closed_hours, hours_to_fence
from pipeline.hours.fence import Fence

HOUR = timedelta(hours=1)
LATENESS = timedelta(minutes=5)


def hour(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + number * HOUR


def fence(number: int, watermarks: dict[int, int]) -> Fence:
    return Fence(hour(number), hour(number) + HOUR + LATENESS, watermarks)


offsets = st.dictionaries(st.integers(0, 5), st.integers(0, 50), max_size=6)


@given(watermarks=offsets, committed=offsets)
def test_never_closed_while_a_record_the_broker_had_at_the_fence_is_uncommitted(
    watermarks: dict[int, int], committed: dict[int, int]
) -> None:
    held = {(p, offset) for p, end in watermarks.items() for offset in range(end)}
    in_table = {(p, offset) for p, end in committed.items() for offset in range(end)}
    closed = closed_hours([hour(0)], {hour(0): fence(0, watermarks)}, committed)
    assert (closed == (hour(0),)) == (held <= in_table)


@given(
    watermarks=offsets,
    committed=offsets,
    later=st.dictionaries(st.integers(0, 9), st.integers(0, 50)),
)
def test_once_closed_it_stays_closed_as_ingest_goes_on_and_partitions_are_added(
    watermarks: dict[int, int], committed: dict[int, int], later: dict[int, int]
) -> None:
    fences = {hour(0): fence(0, watermarks)}
    grown = {p: committed.get(p, 0) + later.get(p, 0) for p in {*committed, *later}}
    if closed_hours([hour(0)], fences, committed):
        assert closed_hours([hour(0)], fences, grown)


def test_an_hour_without_a_fence_is_open_however_much_is_committed() -> None:
    assert closed_hours([hour(0)], {}, {0: 1_000_000}) == ()


def test_a_quiet_partition_does_not_hold_an_hour_open() -> None:
    fences = {hour(0): fence(0, {0: 10, 1: 0})}
    assert closed_hours([hour(0)], fences, {0: 10}) == (hour(0),)


def test_hours_of_history_close_together_as_soon_as_ingest_catches_up() -> None:
    watermarks = {0: 100, 1: 80}
    history = [hour(number) for number in range(5)]
    fences = {at: Fence(at, hour(1_000), watermarks) for at in history}
    assert closed_hours(history, fences, {0: 100, 1: 79}) == ()
    assert closed_hours(history, fences, {0: 100, 1: 80}) == tuple(history)


@given(after_end=st.integers(-7_200, 7_200))
def test_the_fence_is_due_once_the_allowed_lateness_has_passed(after_end: int) -> None:
    now = hour(1) + timedelta(seconds=after_end)
    due = hours_to_fence([hour(0)], {}, now, LATENESS)
    assert (due == (hour(0),)) == (after_end >= LATENESS.total_seconds())


def test_an_hour_is_fenced_once() -> None:
    assert hours_to_fence([hour(0)], {hour(0): fence(0, {})}, hour(9), LATENESS) == ()


def test_candidates_are_hours_with_rows_and_hours_of_the_wall_clock() -> None:
    since = hour(10) + timedelta(minutes=40)
    now = hour(12) + timedelta(minutes=1)
    assert candidate_hours([hour(3), hour(13)], since, now) == (
        hour(3),
        hour(10),
        hour(11),
        hour(12),
        hour(13),
    )
