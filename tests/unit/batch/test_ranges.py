"""Which hours of a plan are built together: whatever is due, of tables that read each other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.batch.planning.plan import HourBuild, HoursPlan
from pipeline.batch.planning.range_logic import HourByHour, Ranged, RangeLogic, Sequential
from pipeline.batch.planning.ranges import RangeBounds, RangeBuild, plan_ranges
from pipeline.batch.planning.staleness import BuildReason, PlanInputs, hours_of
from pipeline.clock import HOUR
from pipeline.contract.model import EVENTS, Product, Read
from tests.support.orders import SQL, derived, hour, orders_product

LATE, MAY_CHANGE, NEW = BuildReason.LATE, BuildReason.MAY_CHANGE, BuildReason.NEW
BY_EVENTS = (Read(table=EVENTS),)
TABLES: Mapping[str, tuple[tuple[Read, ...], RangeLogic]] = {
    "sales": (BY_EVENTS, Ranged(SQL)),
    "streaks": ((*BY_EVENTS, Read(table="streaks", back=1)), Sequential()),
    "trends": ((Read(table="sales", hours=24), Read(table="streaks")), Ranged()),
    "tastes": ((Read(table="trends", hours=3, back=2),), HourByHour("it is Python")),
}
PRODUCT = orders_product(
    Path("contracts"), *(derived(name, SQL, reads=reads) for name, (reads, _) in TABLES.items())
)
LOGIC: Mapping[str, RangeLogic] = {name: logic for name, (_, logic) in TABLES.items()}
BOUNDS = RangeBounds(rows=100, hours=12, one_by_one=4)


def plan(rows: Mapping[int, int], due: Mapping[tuple[int, str], BuildReason]) -> HoursPlan:
    """Return a plan of what is due, as `plan_hours` orders it; `rows` are those of each hour."""
    by_hour = {hour(number): count for number, count in rows.items()}
    builds = [
        HourBuild(name, hour(number), rows[number], False, due[number, name], ())
        for number in sorted(rows)
        for name in TABLES
        if (number, name) in due
    ]
    inputs = PlanInputs("us", 7, by_hour, tuple(sorted(by_hour)), {}, hour(99))
    return HoursPlan("orders", "us", 7, tuple(builds), inputs)


def all_new(rows: Mapping[int, int], *names: str) -> HoursPlan:
    return plan(rows, {(number, name): NEW for number in rows for name in names or ("sales",)})


def ranges(
    asked: HoursPlan, logic: Mapping[str, RangeLogic] = LOGIC, product: Product = PRODUCT
) -> list[tuple[str, list[int]]]:
    return [
        (one.derived_table, [(each - hour(0)) // HOUR for each in one.hours])
        for one in plan_ranges(product, asked, logic, BOUNDS)
    ]


@st.composite
def plans(draw: st.DrawFn) -> HoursPlan:
    numbers = draw(st.lists(st.integers(0, 60), unique=True, max_size=40))
    rows = {number: draw(st.sampled_from([0, 1, 7, 60, 100, 101, 900])) for number in numbers}
    reasons = st.none() | st.sampled_from(BuildReason)
    due = {(number, name): draw(reasons) for number in numbers for name in TABLES}
    return plan(rows, {key: reason for key, reason in due.items() if reason is not None})


def read_by(build: HourBuild) -> set[tuple[str, datetime]]:
    reads, _ = TABLES[build.derived_table]
    return {(read.table, one) for read in reads for one in hours_of(read, build.hour)}


@pytest.mark.slow
@given(plans())
def test_every_build_is_in_exactly_one_range_of_its_table_oldest_first(asked: HoursPlan) -> None:
    found = plan_ranges(PRODUCT, asked, LOGIC, BOUNDS)
    assert all(one.builds and list(one.hours) == sorted(set(one.hours)) for one in found)
    assert all(build.derived_table == one.derived_table for one in found for build in one.builds)
    built = [build for one in found for build in one.builds]
    assert len(built) == len(asked.builds)
    assert set(built) == set(asked.builds)


@pytest.mark.slow
@given(plans())
def test_no_range_comes_before_one_that_it_reads(asked: HoursPlan) -> None:
    left = {(build.derived_table, build.hour) for build in asked.builds}
    for one in plan_ranges(PRODUCT, asked, LOGIC, BOUNDS):
        left -= {(one.derived_table, each) for each in one.hours}
        assert not any(read_by(build) & left for build in one.builds)
        # Nor is anything in it computed from another hour of it.
        of_range = {(one.derived_table, each) for each in one.hours}
        assert not any(read_by(build) & of_range for build in one.builds)


@pytest.mark.slow
@given(plans())
def test_a_range_of_several_hours_keeps_its_bounds(asked: HoursPlan) -> None:
    for one in plan_ranges(PRODUCT, asked, LOGIC, BOUNDS):
        if len(one.builds) == 1:
            continue
        logic = LOGIC[one.derived_table]
        assert not isinstance(logic, Sequential)
        assert len(one.builds) <= (4 if isinstance(logic, HourByHour) else 12)
        assert all(build.reason is not MAY_CHANGE for build in one.builds)
        read = [each for build in one.builds for _, each in read_by(build)]
        distinct = read if isinstance(logic, HourByHour) else set(read)
        assert sum(asked.inputs.rows.get(each, 0) for each in distinct) <= 100


@pytest.mark.slow
@given(plans())
def test_hours_that_are_computed_at_once_adjoin(asked: HoursPlan) -> None:
    for one in plan_ranges(PRODUCT, asked, LOGIC, BOUNDS):
        between = set(_hours_of(one)) - set(one.hours)
        if one.derived_table == "sales":
            assert not any(asked.inputs.rows.get(each) for each in between)
        elif one.derived_table == "trends":
            assert not between


def _hours_of(one: RangeBuild) -> list[datetime]:
    count = (one.hours[-1] - one.hours[0]) // HOUR + 1
    return [one.hours[0] + number * HOUR for number in range(count)]


def test_hours_go_together_across_hours_without_events() -> None:
    assert ranges(all_new({1: 9, 2: 9, 5: 9})) == [("sales", [1, 2, 5])]
    # Logic that computes a range would be asked for those between as well.
    asked = all_new({1: 9, 2: 9, 5: 9})
    assert ranges(asked, {**LOGIC, "sales": Ranged()}) == [("sales", [1, 2]), ("sales", [5])]


def test_hours_that_are_not_due_part_a_range() -> None:
    asked = plan({1: 9, 2: 9, 3: 9}, {(1, "sales"): LATE, (3, "sales"): NEW})
    assert ranges(asked) == [("sales", [1]), ("sales", [3])]


def test_an_hour_larger_than_the_bound_is_a_range_of_its_own() -> None:
    assert ranges(all_new({1: 60, 2: 40, 3: 101, 4: 1, 5: 1})) == [
        ("sales", [1, 2]),
        ("sales", [3]),
        ("sales", [4, 5]),
    ]


def test_an_hour_of_more_rows_than_a_mean_is_exact_for_is_computed_alone() -> None:
    asked = all_new({1: 9, 2: 10, 3: 9, 4: 9})
    of_few = {**LOGIC, "sales": Ranged(SQL, most_rows=9)}
    assert ranges(asked, of_few) == [("sales", [1]), ("sales", [2]), ("sales", [3, 4])]


def test_what_only_may_change_waits_for_what_it_reads() -> None:
    names = {(n, "sales"): LATE for n in (1, 2)} | {(n, "trends"): MAY_CHANGE for n in (1, 2)}
    assert ranges(plan({1: 9, 2: 9}, names)) == [
        ("sales", [1, 2]),
        ("trends", [1]),
        ("trends", [2]),
    ]


def test_a_long_plan_is_done_from_its_oldest_hours_on_in_all_tables() -> None:
    rows = dict.fromkeys(range(24), 1)
    found = ranges(all_new(rows, "sales", "trends"))
    assert found == [
        ("sales", list(range(12))),
        ("trends", list(range(12))),
        ("sales", list(range(12, 24))),
        ("trends", list(range(12, 24))),
    ]
