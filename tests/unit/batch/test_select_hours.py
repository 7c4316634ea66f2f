"""Which hours a sensor asks for: new ones, outdated ones, and what follows them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipeline.batch.planning.due import Attempt, HourRange
from pipeline.batch.planning.plan import HoursPlan, plan_hours
from pipeline.batch.planning.select_hours import NEW, OUTDATED, select_hours
from pipeline.batch.planning.staleness import PlanInputs
from pipeline.control.publications import Publication
from pipeline.hours.fence import Fence
from pipeline.hours.states import HourState, HourStates
from tests.support.derivations import chained_product
from tests.support.orders import hour

PRODUCT = chained_product(Path("contracts"))
NOW = hour(40)
FIRST = hour(0)


def published(*numbers: int) -> list[Publication]:
    return [
        _publication(table, number, source_rows)
        for number in numbers
        for table, source_rows in (("sales", 1), ("streaks", 1), ("tastes_history", 0))
    ]


def _publication(table: str, number: int, source_rows: int) -> Publication:
    found = Publication(
        f"orders.{table}",
        hour(number),
        hour(20),
        1,
        2,
        2,
        f"{table}-{number}",
        5,
        "1.2.0",
        "run",
        2,
    )
    return replace(found, source_rows=source_rows, digest="d", handover="h")


def plan(rows: dict[int, int], publications: list[Publication]) -> HoursPlan:
    fence = Fence(hour(0), hour(0), {0: 0})
    states = tuple(HourState(hour(n), count, fence, closed=True) for n, count in rows.items())
    looked = HourStates("orders", "us", 77, NOW, states)
    return plan_hours(PRODUCT, PlanInputs.of(looked, publications))


def hours(first: int, last: int) -> HourRange:
    return HourRange(hour(first), hour(last))


def test_new_hours_and_outdated_ones_are_asked_for_apart() -> None:
    found = plan({1: 2, 2: 1, 9: 1}, published(1, 2))
    assert select_hours(PRODUCT, found, [], NEW, FIRST).hours == hours(9, 9)
    outdated = select_hours(PRODUCT, found, [], OUTDATED, FIRST)
    assert outdated.hours == hours(1, 2), "the hour after it may change, and comes along"
    assert outdated.due == (hour(1),)


def test_nothing_is_asked_for_that_only_may_change() -> None:
    assert (
        select_hours(PRODUCT, plan({1: 1, 2: 1}, published(1, 2)), [], OUTDATED, FIRST).hours
        is None
    )


def test_a_build_before_the_late_rows_came_was_not_in_vain() -> None:
    found = plan({1: 2}, published(1))
    before = Attempt(hours(1, 1), NOW, started_at=hour(19))
    after = Attempt(hours(1, 1), NOW, started_at=hour(21))
    assert select_hours(PRODUCT, found, [before], OUTDATED, FIRST).attempt == 1
    waits = select_hours(PRODUCT, found, [after], OUTDATED, FIRST)
    assert (waits.hours, waits.waiting) == (None, (hour(1),))


def test_hours_that_read_one_that_keeps_failing_are_left_until_it_is_published() -> None:
    failed = [Attempt(hours(3, 3), NOW - timedelta(days=n)) for n in range(5)]
    found = select_hours(PRODUCT, plan({3: 1, 4: 1, 9: 1}, []), failed, NEW, FIRST)
    assert found.given_up == (hour(3),)
    assert found.blocked == (hour(4),)
    assert found.hours == hours(9, 9)


def test_what_is_published_meanwhile_makes_it_another_request() -> None:
    publications = published(1, 2)
    first = select_hours(PRODUCT, plan({1: 2, 2: 1}, publications), [], OUTDATED, FIRST)
    rebuilt = [replace(one, wap_id=f"{one.wap_id}-again") for one in publications]
    second = select_hours(PRODUCT, plan({1: 2, 2: 1}, rebuilt), [], OUTDATED, FIRST)
    assert first.hours == second.hours
    assert first.state != second.state


def test_hours_before_the_first_partition_are_not_asked_for() -> None:
    assert select_hours(PRODUCT, plan({1: 1}, []), [], NEW, hour(2)).hours is None
