"""Who is at work, and who died without saying so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.supervision.liveness import (
    GRACE_PERIOD,
    ProcessState,
    RunPhase,
    UnfinishedRun,
    check_liveness,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def test_nobody_at_work_and_no_run_means_start_one() -> None:
    judgement = check_liveness(None, [], {}, NOW)
    assert not judgement.busy
    assert judgement.dead == ()


def test_a_held_lock_means_somebody_works_though_no_run_is_known() -> None:
    assert check_liveness("somebody", [], {}, NOW).busy


def test_the_locks_owner_is_alive_however_long_it_runs() -> None:
    run = UnfinishedRun("a", RunPhase.RUNNING)
    first = check_liveness("a", [run], {}, NOW)
    second = check_liveness("a", [run], first.suspects, LATER)
    assert second.busy
    assert second.dead == ()


@pytest.mark.parametrize("phase", [RunPhase.STARTING, RunPhase.RUNNING])
def test_a_run_without_the_lock_is_suspected_then_called_dead(phase: RunPhase) -> None:
    run = UnfinishedRun("a", phase)
    first = check_liveness(None, [run], {}, NOW)
    assert first.busy, "it may be starting, or ending"
    assert first.dead == ()
    soon = check_liveness(
        None, [run], first.suspects, NOW + GRACE_PERIOD[phase] - timedelta(seconds=1)
    )
    assert soon.busy
    second = check_liveness(None, [run], soon.suspects, NOW + GRACE_PERIOD[phase])
    assert second.dead == ("a",)
    assert not second.busy
    assert second.suspects == {}


def test_a_run_that_takes_the_lock_in_time_is_no_longer_suspected() -> None:
    run = UnfinishedRun("a", RunPhase.STARTING)
    first = check_liveness(None, [run], {}, NOW)
    assert check_liveness("a", [run], first.suspects, LATER).suspects == {}


def test_a_run_that_has_come_further_is_suspected_anew() -> None:
    first = check_liveness(None, [UnfinishedRun("a", RunPhase.STARTING)], {}, NOW)
    soon = NOW + GRACE_PERIOD[RunPhase.RUNNING]
    second = check_liveness(None, [UnfinishedRun("a", RunPhase.RUNNING)], first.suspects, soon)
    assert second.dead == ()


def test_a_dead_run_is_found_beside_a_living_one() -> None:
    runs = [UnfinishedRun("dead", RunPhase.RUNNING), UnfinishedRun("living", RunPhase.RUNNING)]
    first = check_liveness("living", runs, {}, NOW)
    second = check_liveness("living", runs, first.suspects, LATER)
    assert second.dead == ("dead",)
    assert second.busy


def test_a_queued_run_may_wait_for_ever() -> None:
    run = UnfinishedRun("a", RunPhase.WAITING)
    assert check_liveness(None, [run], {"a waiting": NOW}, NOW + timedelta(days=1)).busy


@pytest.mark.parametrize("phase", [RunPhase.STARTING, RunPhase.RUNNING])
def test_a_run_whose_process_is_gone_is_dead_at_once(phase: RunPhase) -> None:
    found = check_liveness(None, [UnfinishedRun("a", phase, ProcessState.GONE)], {}, NOW)
    assert found.dead == ("a",)
    assert not found.busy


runs = st.builds(
    UnfinishedRun,
    run_id=st.sampled_from(["a", "b", "c"]),
    phase=st.sampled_from(RunPhase),
    process=st.sampled_from(ProcessState),
)


@given(
    runs=st.lists(runs, unique_by=lambda run: run.run_id),
    owner=st.sampled_from(["a", "b", "somebody", None]),
    ages=st.dictionaries(
        st.builds("{} {}".format, st.sampled_from(["a", "b", "c"]), st.sampled_from(RunPhase)),
        st.timedeltas(timedelta(0), timedelta(days=9)),
    ),
)
def test_evidence_is_believed_before_any_clock(
    runs: list[UnfinishedRun], owner: str | None, ages: dict[str, timedelta]
) -> None:
    suspects = {suspect: NOW - age for suspect, age in ages.items()}
    found = check_liveness(owner, runs, suspects, NOW)
    living = {run.run_id for run in runs if run.process is ProcessState.ALIVE} | {owner}
    assert not living & {*found.dead}, "no living run is called dead"
    gone = {run.run_id for run in runs if run.process is ProcessState.GONE}
    waiting = {run.run_id for run in runs if run.phase is RunPhase.WAITING}
    assert gone - waiting - {owner} <= {*found.dead}, "no dead run is called alive"
    left = {run.run_id for run in runs} - {*found.dead}
    assert found.busy == bool(left or owner)
    assert {suspect.split()[0] for suspect in found.suspects} <= left - {owner}


def test_a_living_run_is_told_of_that_takes_no_lock_and_never_called_dead() -> None:
    run, limit = UnfinishedRun("a", RunPhase.RUNNING, ProcessState.ALIVE), timedelta(minutes=5)
    first = check_liveness(None, [run], {}, NOW)
    assert first.lockless(NOW, limit) is None
    later = check_liveness(None, [run], first.suspects, NOW + limit)
    assert later.lockless(NOW + limit, limit) == "a"
    assert later.dead == ()
    assert check_liveness("a", [run], later.suspects, LATER).lockless(LATER, limit) is None
