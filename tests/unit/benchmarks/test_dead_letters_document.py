"""The benchmark of dead letters: when its promise is met, and that a result is as its schema says."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.dead_letters.document import document
from benchmarks.dead_letters.page import page
from benchmarks.dead_letters.queries import COUNT, LIST, LIST_COMMAND, Query
from benchmarks.dead_letters.run import OPEN, Order, Replayed
from benchmarks.dead_letters.work import Took
from benchmarks.exactly_once import Held
from benchmarks.results import check

ORDER = Order(letters=100_000, few=10_000)


def replayed(count: int, seconds: float = 4.0) -> Replayed:
    took = Took(count, seconds, before_mb=400.0, peak_mb=500.0)
    return Replayed(
        made=took,
        plan=took,
        by_hand=replace(took, seconds=2.0),
        replay=took,
        landed=took,
        held=Held(count, count, count, count, count),
        fates={"landed": count},
        queries=(
            Query(LIST, OPEN, (0.3,) * 30),
            Query(COUNT, OPEN, (0.4,) * 30),
            Query(LIST_COMMAND, OPEN, (2.0,) * 5),
        ),
    )


FEW, MANY = replayed(ORDER.few), replayed(ORDER.letters)


def test_the_promise_is_about_lists_within_a_process_replays_and_rows() -> None:
    result = document(ORDER, FEW, MANY)
    check(result, "dead_letters")
    assert result["met"]
    assert (result["ratio"], result["slowest_p95_s"]) == (0.5, 0.4)
    assert "It is met: every event is a row once." in page(result)


def test_what_is_slow_lost_or_doubled_breaks_it() -> None:
    slow_list = replace(MANY, queries=(Query(LIST, OPEN, (0.3,) * 28 + (1.0,) * 2),))
    lost = replace(MANY, held=replace(MANY.held, rows=99_999))
    doubled = replace(MANY, held=replace(MANY.held, rows=100_001))
    still_open = replace(MANY, fates={"landed": 99_999, "open": 1})
    for broken in (slow_list, lost, doubled, still_open, replayed(ORDER.letters, seconds=5.1)):
        assert not document(ORDER, FEW, broken)["met"]
    assert "not** met: every event is a row once." in page(document(ORDER, FEW, slow_list))
    assert "**events are missing or doubled**" in page(document(ORDER, FEW, lost))
