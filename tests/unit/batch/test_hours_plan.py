"""Which hours are built, and what refuses them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.batch.planning.plan import (
    DerivedTableUnknownError,
    HourOpenError,
    HoursPlan,
    LedgerUnbalancedError,
    plan_hours,
)
from pipeline.batch.planning.staleness import PlanInputs
from pipeline.control.publications import Publication
from pipeline.hours.fence import Fence
from pipeline.hours.states import HourState, HourStates
from tests.support.orders import hour, orders_product

NOW = hour(20)


def states(closed: dict[int, int], still_open: tuple[int, ...] = ()) -> HourStates:
    """Closed hours with their rows, and open ones."""
    fence = Fence(hour(0), NOW, {0: 1})
    found = [HourState(hour(number), rows, fence, True) for number, rows in closed.items()]
    found += [HourState(hour(number), 1, None, False) for number in still_open]
    return HourStates("orders", "us", 77, NOW, tuple(found))


def publication(of: datetime, source: int = 1) -> Publication:
    at = of + timedelta(hours=2)
    return Publication("orders.sales", of, at, source, 2, 2, "w", 5, "1.2.0", "run", 2)


def plan(
    looked: HourStates,
    *publications: Publication,
    hours: list[datetime] | None = None,
    derived_tables: list[str] | None = None,
    again: bool = False,
    balanced: bool = True,
) -> HoursPlan:
    return plan_hours(
        orders_product(Path("contracts")),
        PlanInputs.of(looked, publications, balanced=balanced, unexplained=0 if balanced else 3),
        hours=hours,
        derived_tables=derived_tables,
        again=again,
    )


def test_every_closed_hour_that_is_not_published_is_built_oldest_first() -> None:
    found = plan(states({3: 30, 1: 10, 2: 20}, (4,)), publication(hour(2)))
    assert [(build.hour.hour, build.rows) for build in found.builds] == [(1, 10), (3, 30)]
    assert found.source_snapshot_id == 77


def test_open_hours_are_left_out_and_named_and_the_others_are_built() -> None:
    found = plan(states({1: 10}, (4, 5)), hours=[hour(1), hour(4), hour(5)])
    assert [build.hour for build in found.builds] == [hour(1)]
    assert found.open_hours == (hour(4), hour(5))
    assert "hours 2026-01-01T04, 2026-01-01T05 are not closed" in str(found.refusal)
    assert plan(states({1: 10}, (4,))).refusal is None, "nobody asked for them"


def test_many_open_hours_are_counted() -> None:
    open_hours = tuple(range(2, 20))
    found = plan(states({1: 10}, open_hours), hours=list(map(hour, (1, *open_hours))))
    assert "T11 and 8 more are not closed" in str(found.refusal)


def test_hours_of_which_none_is_closed_are_refused() -> None:
    with pytest.raises(HourOpenError, match="hour 2026-01-01T04 is not closed"):
        plan(states({1: 10}, (4,)), hours=[hour(4)])


def test_a_published_hour_is_built_again_only_when_told() -> None:
    looked = states({1: 10})
    assert plan(looked, publication(hour(1)), hours=[hour(1)]).builds == ()
    again = plan(looked, publication(hour(1)), hours=[hour(1)], again=True)
    assert [(build.hour, build.published) for build in again.builds] == [(hour(1), True)]


def test_an_unexplained_offset_blocks_building() -> None:
    with pytest.raises(LedgerUnbalancedError, match="3 offsets"):
        plan(states({1: 10}), balanced=False)


def test_books_that_do_not_balance_do_not_matter_when_nothing_is_due() -> None:
    assert plan(states({1: 10}), publication(hour(1)), balanced=False).builds == ()


def test_a_derived_table_that_the_contract_does_not_have_is_an_error_by_name() -> None:
    with pytest.raises(DerivedTableUnknownError, match="sales"):
        plan(states({1: 10}), derived_tables=["returns"])
