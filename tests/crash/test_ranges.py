"""Builds of ranges are killed wherever they may die, and every hour is there once and whole.

The kills are drawn from a seed (tests/crash/range_kills.py). In each range an hour in the middle fails its
audit beside others that pass, and late orders come before each kill: there is an earlier build to lose.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.cells import Cell
from tests.crash.range_kills import RangeKill, draw_range_kills
from tests.crash.range_model import BAD, NUMBERS, ranges_product
from tests.crash.range_stage import RangeStage
from tests.crash.range_verdict import assert_converged, assert_nothing_half
from tests.crash.scenario import Place
from tests.support.counts import COUNTS
from tests.support.failpoints import failpoints_of

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture
def stage(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> RangeStage:
    """Two tables of which nothing is built, and orders for them."""
    stage = RangeStage(spark, quiet_cell, ranges_product(tmp_path))
    stage.more()
    return stage


def test_no_hour_is_twice_half_or_lost(
    range_kills: tuple[RangeKill, ...], stage: RangeStage
) -> None:
    for kill in range_kills:
        stage.die(kill)
        assert_nothing_half(stage)
        failing = [BAD] if kill.persists else []
        stage.build(failing)
        assert_converged(stage, failing)
        stage.more()
    stage.build([])
    assert_converged(stage, [])
    COUNTS["crash suite of ranges"].update({f"killed at {at}": n for at, n in stage.kills.items()})


def test_two_backfills_that_overlap_leave_every_hour_once(stage: RangeStage) -> None:
    """No lock keeps them apart: one sleeps with what it has staged while the other builds."""
    stage.build([])
    assert_converged(stage, [])
    stage.more()
    sleeper = stage.start(NUMBERS[:3], Place("hour.after_stage"), sleeps=True)
    try:
        assert sleeper.falls_asleep()
        stage.build([BAD], NUMBERS[1:])
        sleeper.wake()
        assert sleeper.wait() == 0
    finally:
        sleeper.end()
    assert set(sleeper.said.read_text().split()) == {"Publication", "Rejected"}
    assert_converged(stage, [BAD])


def test_a_seed_says_every_kill_and_another_says_others() -> None:
    failpoints = failpoints_of("hour")
    kills = draw_range_kills(1, 50, failpoints)
    assert kills == draw_range_kills(1, 50, failpoints) != draw_range_kills(2, 50, failpoints)
    assert {kill.at.failpoint for kill in draw_range_kills(1, 20, failpoints)} == set(failpoints)
