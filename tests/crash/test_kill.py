"""Ingest is killed at every step of its protocol, in all kinds of company, and every record is there once.

The kills are drawn from a seed (tests/crash/scenario.py); docs/explanation/exactly-once.md says what each
failpoint stands between. What the seed does not fix is time: a replay meets the same kills in the
same order, and processes that run beside each other may take other turns.
"""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tests.crash.scenario import Act
from tests.crash.stage import BACKLOG, Stage
from tests.crash.verdict import assert_exactly_once, assert_the_command_agrees
from tests.support.attempts import catch_up
from tests.support.failpoints import failpoints_of
from tests.support.upkeep import upkeep


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled(act: Act, stage: Stage) -> None:
    before = stage.tally.kills.copy()
    for batch in act.batches:
        stage.writer.fill(BACKLOG, transactions=2)
        with upkeep(stage.cell, stage.product, asked=batch.upkeep) as done:
            stage.is_maintained = batch.upkeep
            for kill in batch.kills:
                stage.kill(kill)
        stage.tally.maintained(done)
        catch_up(stage.cell, stage.product)
        found = assert_exactly_once(stage)
    stage.tally.records.update(asdict(found))
    assert_the_command_agrees(stage)
    visited = stage.tally.kills - before
    assert set(failpoints_of("ingest")) <= set(visited), "a failpoint at which no attempt died"
