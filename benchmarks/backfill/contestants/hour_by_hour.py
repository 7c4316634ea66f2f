"""Headwater, asked for one hour after the other: a plan, a build and a record each."""

from __future__ import annotations

from benchmarks.backfill.contestants import headwater
from benchmarks.backfill.work import Place, Work

TITLE = "Headwater, hour by hour"
AUDITED, FAILING = headwater.AUDITED, headwater.FAILING
ready, python, table = headwater.ready, headwater.python, headwater.table


class _Runner(headwater.Builder):
    def run(self, place: Place) -> None:
        for hour in place.each_hour():
            self.build(place.cell(), [hour])


def start(work: Work) -> _Runner:
    """Start Spark."""
    return _Runner(work)
