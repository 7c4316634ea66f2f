"""Ingest is killed at every step of its protocol, again and again, and every record is there once.

The crashes are data: at which visit of which failpoint each attempt dies. docs/exactly-once.md says
what each failpoint stands between.
"""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ledger.verify import verify
from tests.support.attempts import catch_up, start
from tests.support.judge import judge
from tests.support.load import TopicWriter

RECORDS = 3_000
BATCH = 100


@dataclass(frozen=True)
class Script:
    """How attempts die: the k-th at the `visits[k]`-th time that it comes to `failpoint`.

    Each follows an attempt that died at `after`, for failpoints that only such a death leads to.
    """

    failpoint: str
    visits: tuple[int, ...] = (1, 2, 1, 3, 1)
    after: str | None = None


SCRIPTS = (
    Script("ingest.planned"),
    Script("ingest.fetched"),
    Script("ingest.decoded"),
    Script("ingest.before_side_files"),
    Script("ingest.before_side_commit"),
    Script("ingest.after_side_commit"),
    Script("ingest.claimed", visits=(1, 1, 1, 1, 1), after="ingest.after_side_commit"),
    Script("ingest.before_event_files"),
    Script("ingest.before_event_commit"),
    Script("ingest.after_event_commit"),
)
RANDOM_KILLS = 10


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.failpoint)
def test_nothing_is_lost_or_doubled_by_kills_at(
    script: Script, cell: Cell, strict_product: Product, crash_rounds: int
) -> None:
    writer = TopicWriter(cell, strict_product)
    for round_ in range(crash_rounds):
        filled = writer.fill(RECORDS, transactions=3)
        assert filled.duplicates
        assert filled.poison
        for visit in script.visits:
            deaths = [script.after] if script.after else []
            for death in [*deaths, f"{script.failpoint}:{visit}"]:
                attempt = start(cell, strict_product, failpoint=death, max_records=BATCH)
                assert attempt.wait() == -signal.SIGKILL, f"round {round_}: {death} was not reached"
        catch_up(cell, strict_product)
    assert_exactly_once(cell, strict_product)


def test_nothing_is_lost_or_doubled_by_kills_at_random_times(
    cell: Cell, strict_product: Product, crash_rounds: int
) -> None:
    chance = random.Random(20)  # noqa: S311 - repeatable, not secret
    writer = TopicWriter(cell, strict_product)
    writer.fill(RECORDS, transactions=3)
    killed = 0
    while killed < RANDOM_KILLS * crash_rounds:
        if start(cell, strict_product, max_records=BATCH).kill_after(chance.uniform(0.05, 3.0)):
            killed += 1
        else:
            writer.fill(RECORDS, transactions=3)
    catch_up(cell, strict_product)
    assert_exactly_once(cell, strict_product)


def assert_exactly_once(cell: Cell, product: Product) -> None:
    findings = judge(cell, product)
    assert findings.exact, findings
    assert findings.rows
    assert findings.dead_letters
    verification = verify(cell, product)
    assert verification.balanced, verification.problems
