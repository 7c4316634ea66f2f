"""What a plan would do, told in words: which hours together and why, and their stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from pipeline.batch.explain import explain, explain_logic
from pipeline.batch.planning.plan import plan_hours
from pipeline.batch.planning.range_logic import HourByHour, Ranged, RangeLogic, Sequential
from pipeline.batch.planning.ranges import RangeBounds, RangesPlan, plan_ranges
from pipeline.batch.planning.staleness import PlanInputs
from pipeline.batch.sql.custom import CustomQuery
from tests.support.derivations import chained_product
from tests.support.orders import hour

PRODUCT = chained_product(Path("contracts"))
LOGIC: dict[str, RangeLogic] = {
    "sales": Ranged("SELECT"),
    "streaks": Sequential(),
    "tastes": HourByHour("it reads more"),
}
BOUNDS = RangeBounds(rows=1_000_000)


def told(
    tables: Sequence[str] | None = None,
    hours: Sequence[int] = (1, 2, 3),
    queries: Mapping[str, tuple[CustomQuery, ...]] = MappingProxyType({}),
) -> list[str]:
    rows = {hour(n): 1_000 * n for n in hours}
    inputs = PlanInputs("us", 77, rows, tuple(rows), {}, hour(9))
    plan = plan_hours(PRODUCT, inputs, derived_tables=tables)
    ranges = RangesPlan(LOGIC, BOUNDS, plan_ranges(PRODUCT, plan, LOGIC, BOUNDS), queries)
    return list(explain(plan, ranges))


def test_hours_that_are_built_together_are_told_with_their_stages_once() -> None:
    assert told(["sales"]) == [
        "from snapshot 77 of orders.events in us",
        "at most 1,000,000 events and 744 hours together, 24 where they are computed one by one",
        f"  sales: {explain_logic(LOGIC['sales'])}",
        "  2026-01-01T01..2026-01-01T03 sales: 3 hours together",
        "    2026-01-01T01: 1,000 events, new",
        "    2026-01-01T02: 2,000 events, new",
        "    2026-01-01T03: 3,000 events, new",
        "    stage: compute by sql from events; write to orders.sales, off main",
        "    audit: hold each hour to 2 expectations; one that fails stays off main",
        "    publish: put what passed on main of orders.sales, at once",
        "    release: take the digest of each hour's rows; drop the staging's tags",
        "    record: add a row an hour to orders.publications",
    ]


def test_custom_queries_of_tables_that_are_due_are_told_with_why_or_why_not() -> None:
    counted = CustomQuery("SELECT 1", "No gaps.", of_range="SELECT 2")
    alone = CustomQuery("SELECT region FROM previous", "", reason="it reads previous")
    queries = {"sales": (counted, alone), "tastes": (counted,)}
    assert [
        line for line in told(["sales"], queries=queries) if "asked" in line or "No" in line
    ] == [
        "  sales: No gaps.: what it finds is counted of all hours of a range at once",
        "  sales: `SELECT region FROM previous`: each hour is asked by itself: it reads previous",
    ]


def test_an_hour_that_is_built_alone_is_told_with_all_its_stages() -> None:
    lines = told(["streaks"], hours=[1, 2])
    assert [line for line in lines if "events, new" in line] == [
        "  2026-01-01T01 streaks: 1,000 events, new",
        "  2026-01-01T02 streaks: 2,000 events, new",
    ]
    assert sum("publish: " in line for line in lines) == 2


def test_ranges_are_told_in_the_order_in_which_they_are_built() -> None:
    heads = [line.split()[1] for line in told() if line.startswith("  2026")]
    assert heads == ["sales:", "streaks:", "streaks:", "streaks:", "tastes:"]


@pytest.mark.parametrize(
    ("logic", "says"),
    [
        (Ranged("SELECT", 90_000), "an hour of more than 90,000 events alone"),
        (Ranged(), "as its contract says"),
        (HourByHour("it has LIMIT"), "one by one: it has LIMIT"),
        (Sequential(), "one after the other: it reads its own earlier hours"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_each_table_is_told_why_or_why_not(logic: RangeLogic, says: str) -> None:
    assert says in explain_logic(logic)


def test_a_plan_without_hours_says_so() -> None:
    plan = plan_hours(PRODUCT, PlanInputs("us", 77, {}, (), {}, hour(9)))
    assert list(explain(plan, None))[1:] == ["  nothing to build"]
