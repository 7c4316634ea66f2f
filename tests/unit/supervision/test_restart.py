"""When an ingest is started again after failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.supervision.restart import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    REPEATED,
    RunEnd,
    failures_in_a_row,
    longest_pause,
    pause_after,
    pause_left,
    repeated_failure,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAILED = RunEnd("run", NOW, failed=True, kind="BrokerUnavailableError")
PROGRESSED = replace(FAILED, progressed=True)
ENDED_WELL = replace(FAILED, failed=False)

objectives = st.none() | st.timedeltas(timedelta(0), timedelta(days=1))


def seconds(failures: int, objective: timedelta | None) -> float:
    return pause_after(failures, objective).total_seconds()


def test_the_pause_doubles_with_each_failure_up_to_half_of_the_freshness_objective() -> None:
    assert [seconds(n, MINUTE) for n in (0, 1, 2, 3, 4, 50)] == [0, 5, 10, 20, 30, 30]
    assert [seconds(n, None) for n in (0, 1, 2, 7, 50)] == [0, 5, 10, 300, 300]


@given(st.integers(0, 10_000), objectives)
def test_the_pause_never_gives_the_objective_up(failures: int, objective: timedelta | None) -> None:
    pause = pause_after(failures, objective)
    assert pause <= LONGEST_PAUSE
    assert (pause >= FIRST_PAUSE) == (failures > 0), "a failing start is not repeated at once"
    assert pause <= pause_after(failures + 1, objective)
    if objective is not None and objective >= 2 * FIRST_PAUSE:
        assert pause <= objective / 2


@given(st.lists(st.sampled_from([FAILED, PROGRESSED, ENDED_WELL])))
def test_failures_in_a_row_begin_after_the_last_run_that_committed_or_ended_well(
    ends: list[RunEnd],
) -> None:
    row = failures_in_a_row(ends)
    assert all(end is FAILED for end in row)
    assert len(row) == len(ends) or ends[len(row)] is not FAILED


def test_a_run_that_committed_counts_as_no_failure_in_a_row() -> None:
    assert failures_in_a_row([PROGRESSED, FAILED, FAILED]) == ()
    assert pause_left((), MINUTE, NOW) == timedelta(0)


@given(
    st.lists(st.just(FAILED), min_size=1, max_size=9),
    objectives,
    st.timedeltas(timedelta(days=-9), timedelta(days=9)),
)
def test_what_is_left_of_the_pause_ends(
    row: list[RunEnd], objective: timedelta | None, since: timedelta
) -> None:
    left = pause_left(tuple(row), objective, NOW + since)
    assert timedelta(0) <= left <= longest_pause(objective), "whatever the clock does"
    assert (left == timedelta(0)) == (since >= pause_after(len(row), objective))


def test_repeated_failures_of_one_kind_are_told_and_others_are_not() -> None:
    other = replace(FAILED, kind="BatchFailedError")
    assert repeated_failure((FAILED,) * (REPEATED - 1)) is None
    assert repeated_failure((FAILED,) * REPEATED) is FAILED
    assert repeated_failure((FAILED, other, FAILED, FAILED)) is None
    assert repeated_failure((FAILED,) * REPEATED + (other,)) is FAILED
