"""Who is at work, who died without saying so, and when to start again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.supervision.liveness import PATIENCE, Phase, Unfinished, judge, pause_after

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def test_nobody_at_work_and_no_run_means_start_one() -> None:
    judgement = judge(None, [], {}, NOW)
    assert not judgement.busy
    assert judgement.dead == ()


def test_a_held_lock_means_somebody_works_though_no_run_is_known() -> None:
    assert judge("somebody", [], {}, NOW).busy


def test_the_locks_owner_is_alive_however_long_it_runs() -> None:
    run = Unfinished("a", Phase.RUNNING)
    first = judge("a", [run], {}, NOW)
    second = judge("a", [run], first.suspects, LATER)
    assert second.busy
    assert second.dead == ()


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.RUNNING])
def test_a_run_without_the_lock_is_suspected_then_called_dead(phase: Phase) -> None:
    run = Unfinished("a", phase)
    first = judge(None, [run], {}, NOW)
    assert first.busy, "it may be starting, or ending"
    assert first.dead == ()
    soon = judge(None, [run], first.suspects, NOW + PATIENCE[phase] - timedelta(seconds=1))
    assert soon.busy
    second = judge(None, [run], soon.suspects, NOW + PATIENCE[phase])
    assert second.dead == ("a",)
    assert not second.busy
    assert second.suspects == {}


def test_a_run_that_takes_the_lock_in_time_is_no_longer_suspected() -> None:
    run = Unfinished("a", Phase.STARTING)
    first = judge(None, [run], {}, NOW)
    assert judge("a", [run], first.suspects, LATER).suspects == {}


def test_a_run_that_has_come_further_is_suspected_anew() -> None:
    first = judge(None, [Unfinished("a", Phase.STARTING)], {}, NOW)
    soon = NOW + PATIENCE[Phase.RUNNING]
    second = judge(None, [Unfinished("a", Phase.RUNNING)], first.suspects, soon)
    assert second.dead == ()


def test_a_dead_run_is_found_beside_a_living_one() -> None:
    runs = [Unfinished("dead", Phase.RUNNING), Unfinished("living", Phase.RUNNING)]
    first = judge("living", runs, {}, NOW)
    second = judge("living", runs, first.suspects, LATER)
    assert second.dead == ("dead",)
    assert second.busy


def test_a_queued_run_may_wait_for_ever() -> None:
    run = Unfinished("a", Phase.WAITING)
    assert judge(None, [run], {"a waiting": NOW}, NOW + timedelta(days=1)).busy


def test_the_pause_doubles_with_each_failure_up_to_ten_minutes() -> None:
    pauses = [pause_after(n).total_seconds() for n in (0, 1, 2, 3, 50)]
    assert pauses == [0, 15, 30, 60, 600]
