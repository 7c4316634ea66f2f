"""How far a build has come, and what is left of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.batch.progress import EVERY, BuildProgress, ProgressReporter
from tests.support.orders import hour


@pytest.mark.parametrize(
    ("done", "total", "after", "said"),
    [
        (0, 10, timedelta(0), "0 of 10 hours"),
        (0, 10, timedelta(minutes=3), "0 of 10 hours"),
        (5, 10, timedelta(minutes=1), "5 of 10 hours, 5 a minute, about 60 s left"),
        (
            1_000,
            8_760,
            timedelta(minutes=2),
            "1,000 of 8,760 hours, 500 a minute, about 16 min left",
        ),
        (10, 8_760, timedelta(minutes=5), "10 of 8,760 hours, 2 a minute, about 72.9 h left"),
        (10, 10, timedelta(minutes=5), "10 of 10 hours, 2 a minute, about 0 s left"),
    ],
)
def test_what_is_left_is_told_by_what_was_done(
    done: int, total: int, after: timedelta, said: str
) -> None:
    assert str(BuildProgress(done, total, hour(1), hour(1) + after)) == said


def test_it_is_said_every_half_minute_and_not_at_the_end() -> None:
    now = hour(1)
    said: list[str] = []
    reporter = ProgressReporter(5, said.append, lambda: now)
    for _ in range(5):
        now += EVERY / 2
        reporter.one_done()
    assert said == [
        "2 of 5 hours, 4 a minute, about 45 s left",
        "4 of 5 hours, 4 a minute, about 15 s left",
    ]
