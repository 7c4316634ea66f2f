"""The kills of the crash suite are drawn so that a seed says them all, and none is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.scenario import LED_TO_BY, Act, Beside, Place, draw
from tests.support.failpoints import FailpointUnnamedError, all_failpoints, failpoints_of

FAILPOINTS = failpoints_of("ingest")
KILLED_ELSEWHERE = {
    "dead_letters": "tests/integration/test_dead_letter_topic.py",
    "discard": "tests/integration/test_dead_letter_topic.py",
    "hour": "tests/crash/test_ranges.py",
    "fill": "tests/integration/test_fill.py",
    "ledger": "tests/integration/test_ledger_archive.py",
    "maintenance": "tests/integration/test_orphans.py",
    "replay": "tests/crash/test_replays.py",
    "retention": "tests/integration/test_retention.py",
    "table_changes": "tests/integration/test_table_changes.py",
}


def places(act: Act) -> set[str]:
    return {
        kill.at.failpoint
        for batch in act.batches
        for kill in batch.kills
        if isinstance(kill.at, Place)
    }


def test_a_seed_says_every_kill_and_another_says_others() -> None:
    assert draw(1, 100, FAILPOINTS) == draw(1, 100, FAILPOINTS)
    assert draw(1, 100, FAILPOINTS) != draw(2, 100, FAILPOINTS)


@pytest.mark.parametrize("kills", [30, 100, 1_000, 1_234])
def test_as_many_attempts_die_as_were_asked_for(kills: int) -> None:
    assert sum(act.kills for act in draw(1, kills, FAILPOINTS)) == kills


def test_every_act_kills_at_every_failpoint_and_in_every_company() -> None:
    for act in draw(1, 1_000, FAILPOINTS):
        assert places(act) == set(FAILPOINTS)
        assert {kill.beside for batch in act.batches for kill in batch.kills} == set(Beside)
        assert {batch.upkeep for batch in act.batches} == {False, True}


def test_few_kills_are_made_more_until_each_failpoint_has_one() -> None:
    (act,) = draw(1, 1, FAILPOINTS)
    assert places(act) == set(FAILPOINTS)


def test_what_leads_to_a_failpoint_is_one() -> None:
    assert {*LED_TO_BY, *LED_TO_BY.values()} <= set(FAILPOINTS)


def test_no_failpoint_of_the_engine_is_killed_at_nowhere() -> None:
    assert {name.split(".")[0] for name in all_failpoints()} == {"ingest", *KILLED_ELSEWHERE}


def test_failpoints_are_found_wherever_they_are_called_and_must_be_named_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.py").write_text('failpoint("a.one")\nfailpoints.failpoint("b.two")\n')
    assert all_failpoints(tmp_path) == ("a.one", "b.two")
    assert failpoints_of("a", tmp_path) == ("a.one",)
    (tmp_path / "b.py").write_text("failpoint(name)\n")
    with pytest.raises(FailpointUnnamedError):
        all_failpoints(tmp_path)
