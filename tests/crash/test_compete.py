"""Two ingests that both live compete for every offset, and every record is there once.

Which of them wins is not said: it may always be the same one.
"""

from __future__ import annotations

from tests.crash.stage import BACKLOG, Stage
from tests.crash.verdict import assert_exactly_once
from tests.support.attempts import catch_up, play
from tests.support.part import Part

COMPETE_S = 20.0
AT_ONCE = 200
RACES = 5
"""At least this many commits were refused, else nobody competed."""


def test_two_ingests_that_never_die_compete_for_the_same_offsets(stage: Stage) -> None:
    stage.writer.fill(BACKLOG, transactions=2)
    both = [play(stage.cell, stage.product, Part(for_s=COMPETE_S)) for _ in range(2)]
    while any(attempt.process.is_alive() for attempt in both):
        stage.writer.fill(AT_ONCE)
    assert [attempt.wait() for attempt in both] == [0, 0]
    catch_up(stage.cell, stage.product)
    assert_exactly_once(stage)
    assert sum(attempt.races_lost for attempt in both) >= RACES
