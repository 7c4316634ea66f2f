"""Ingest under a real Dagster, killed at random: alive again in time, and no living run called dead.

Not part of `make test`, for it takes half an hour: `make supervision-test`.
"""

from __future__ import annotations

import logging
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from pipeline.ledger.read import read_ledger
from pipeline.ledger.verify import verify_ledger
from tests.supervision.stage import LOAD, Stage, machine_load, running_stage
from tests.support.dagster_api import wait_until

FIRST_START_S = 300
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Strike:
    """At which second ingest is killed, and whether its successor is killed too, while it starts."""

    at: float
    is_double: bool


def strikes(seed: int, count: int, seconds: float) -> list[Strike]:
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    moments = sorted(draw.uniform(0, seconds) for _ in range(count))
    return [Strike(at, draw.random() < 0.3) for at in moments]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("load", "within_s"), [(0, 60.0), (LOAD, 150.0)], ids=["quiet", "loaded"])
def test_a_killed_ingest_is_alive_again_in_time(
    tmp_path: Path, pytestconfig: pytest.Config, load: int, within_s: float
) -> None:
    option = pytestconfig.getoption
    plan = strikes(option("--kill-seed"), option("--kills"), option("--kill-seconds"))
    with running_stage(tmp_path) as stage:
        wait_until("the first ingest at work", lambda: stage.owner, FIRST_START_S)
        with machine_load(load):
            begin = time.monotonic()
            took = [strike(stage, one, begin) for one in plan]
        stage.stop_writing()
        wait_until(
            "everything ingested",
            lambda: read_ledger(stage.cell, stage.product).totals.offsets >= stage.written,
            FIRST_START_S,
        )
        verification = verify_ledger(stage.cell, stage.product)
        failed = [run for run, status in stage.ends().items() if status == "FAILURE"]
    LOG.info("alive again after %s s", ", ".join(f"{one:.0f}" for one in took))
    LOG.info("%s offsets, balanced: %s", stage.written, verification.balanced)
    assert max(took) <= within_s
    assert len(failed) == len(plan) + sum(one.is_double for one in plan), "no living run among them"
    assert verification.balanced


def strike(stage: Stage, planned: Strike, begin: float) -> float:
    """Kill the run's process; return after how many seconds another one works."""
    time.sleep(max(0.0, begin + planned.at - time.monotonic()))
    owner = stage.owner
    kill(stage)
    if planned.is_double:
        kill(stage)
    killed = time.monotonic()
    while (now := stage.owner) is None or now == owner:
        if time.monotonic() - killed > FIRST_START_S:
            raise TimeoutError(f"not alive again: {stage.ends()}")
        time.sleep(0.25)
    took = time.monotonic() - killed
    what = "killed, and once more while it started" if planned.is_double else "killed"
    LOG.info("%s %s: alive again after %.1f s, load %.1f", owner, what, took, os.getloadavg()[0])
    return took


def kill(stage: Stage) -> None:
    process = wait_until("a run's process", stage.ingesting, FIRST_START_S)
    process.kill()
    psutil.wait_procs([process], timeout=10)
