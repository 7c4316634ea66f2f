"""A short form of `make bad-day`, without Dagster: its commands, in its order, against a real broker."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from docs.bad_day.deploy import ship
from docs.bad_day.page import page
from docs.bad_day.steps import Step, evening, morning
from docs.bad_day.verdict import verdict
from headwater.produce.generated import Order, produce_generated
from pipeline.cells import Cell
from pipeline.ingest.run import ingest
from pipeline.settings import PROJECT
from tests.support.commands_here import CommandHere
from tests.support.products import own_product

HOUR_US = 3_600_000_000
GOOD = 400


def test_an_operator_finds_mends_tries_and_replays_a_bad_deploy(
    cell: Cell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    product = own_product("viewing_events", tmp_path / "contracts", PROJECT / "contracts")
    produce_generated(cell, product, Order(count=GOOD, seed=3))
    begin = int(time.time() * 1_000_000) // HOUR_US * HOUR_US - HOUR_US
    shipped = ship(cell, product, 60, 0.1, begin)
    ingest(cell, product, once=True)
    command = CommandHere(monkeypatch, capsys, cell, product)
    steps: list[tuple[Step, str]] = []

    def run(step: Step) -> str:
        done = command.run(*step.command)
        assert done.code in step.codes, (step.command, done.out, done.err)
        steps.append((step, done.out))
        return done.out

    replayed, discarded = morning(product.name, run)
    ingest(cell, product, once=True)
    evening(product.name, replayed, run)
    found = verdict(cell, product, shipped, GOOD, None)
    assert found.problems == ()
    assert (found.mended, found.discarded) == (len(shipped.broken), shipped.corrupt)
    whole = page(steps, found, 0.1, 600)
    assert replayed in whole
    assert discarded in whole
    # What is personal stays out of what an operator sees without having asked for it.
    assert not any(f"user-{number:05d}" in whole for number in range(500))
