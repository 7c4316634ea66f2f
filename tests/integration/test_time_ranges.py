"""Logic that computes a range, as its contract says: equal to hours built alone, or refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from pipeline.batch.context import RangeContext
from pipeline.batch.errors import LogicError
from pipeline.batch.model import Source
from pipeline.batch.planning.read_range import read_range_bounds
from pipeline.cells import Cell
from pipeline.clock import HOUR, hour_of
from pipeline.contract.model import DerivedTable, Read
from pipeline.control.publications import Publication, PublicationLog, read_publications
from pipeline.spark.errors import SparkFailedError
from pipeline.tables.catalog import load_table
from tests.support.derivations import Chain, accept
from tests.support.hour_builds import build_hours_of, each_alone
from tests.support.orders import hour, of_range, orders_product, ranked, sales

RECENT = """
SELECT hour, region, count(*) AS orders, sum(amount) AS amount
FROM explode(sequence(:start, :end - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) AS asked(hour)
JOIN events ON _event_time >= hour - INTERVAL 2 HOURS AND _event_time < hour + INTERVAL 1 HOUR
GROUP BY hour, region
"""
LEADERS = """
from pyspark.sql import functions as sf


def build(inputs):
    '''Count how often each region was first in the last two hours.'''
    firsts = inputs.tables["ranked"].where("place = 1").withColumnRenamed("hour", "at")
    asked = sf.sequence(sf.lit(inputs.start), sf.lit(inputs.end) - sf.expr("INTERVAL 1 HOUR"),
                        sf.expr("INTERVAL 1 HOUR"))
    of = firsts.select("region", "at", sf.explode(asked).alias("hour"))
    within = of.where("at <= hour AND at >= hour - INTERVAL 1 HOUR")
    return within.groupBy("hour", "region").agg(sf.count("*").alias("firsts"))
"""
HOURS = range(1, 6)
ORDERS = [
    (1, "north", 3),
    (1, "south", 4),
    (1, "south", 9),
    (2, "north", 5),
    (2, "west", 5),
    (3, "south", 1),
    # The fourth has none.
    (5, "north", 2),
    (5, "west", 7),
]


@pytest.fixture
def sell(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Callable[..., Chain]:
    def chain(*tables: DerivedTable) -> Chain:
        found = Chain(spark, quiet_cell, orders_product(tmp_path, *tables))
        found.orders.append([(hour(number), region, n) for number, region, n in ORDERS])
        return found

    return chain


def expected() -> dict[str, list[tuple[datetime, str, int, int]]]:
    """Return the rows of `ranked` and `recent`: hour, region, orders, and the last column."""
    amounts: dict[int, Counter[str]] = defaultdict(Counter)
    orders: dict[int, Counter[str]] = defaultdict(Counter)
    for number, region, amount in ORDERS:
        amounts[number][region] += amount
        orders[number][region] += 1
    ranked = [
        (hour(n), region, orders[n][region], 1 + sum(other > mine for other in totals.values()))
        for n, totals in amounts.items()
        for region, mine in totals.items()
    ]
    recent = []
    for n in HOURS:
        last = range(n - 2, n + 1)
        regions = {region for m in last for region in orders[m]}
        for region in regions:
            count, amount = (sum(of[m][region] for m in last) for of in (orders, amounts))
            recent.append((hour(n), region, count, amount))
    return {"ranked": sorted(ranked), "recent": sorted(recent)}


def leaders() -> list[tuple[datetime, str, int]]:
    first = [(at, region) for at, region, _, place in expected()["ranked"] if place == 1]
    found = Counter((later, r) for at, r in first for later in (at, at + HOUR))
    return sorted((at, r, count) for (at, r), count in found.items() if at <= hour(HOURS[-1]))


def rows(chain: Chain, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row[name] for name in columns) for row in chain.rows(table))


def test_a_range_of_declared_logic_has_the_rows_that_its_hours_have_alone(
    sell: Callable[..., Chain],
) -> None:
    chain = sell(
        ranked(),
        of_range("recent", RECENT, reads=(Read(table="events", hours=3),)),
        of_range("leaders", LEADERS, "python", reads=(Read(table="ranked", hours=2),)),
    )
    done = chain.build(HOURS)
    assert all(isinstance(one.outcome, Publication) for one in done), done
    together = {(one.table, one.hour): one for one in read_publications(chain.cell, "orders")}
    assert len({one.wap_id for one in together.values()}) == 3, "each table is one range"
    wanted = expected()
    assert rows(chain, "ranked", "hour", "region", "orders", "place") == wanted["ranked"]
    assert rows(chain, "recent", "hour", "region", "orders", "amount") == wanted["recent"]
    assert rows(chain, "leaders", "hour", "region", "firsts") == leaders()
    for number in (2, 4, 5):
        chain.build(HOURS, hours=[hour(number)], again=True)
    alone = {(one.table, one.hour): one for one in read_publications(chain.cell, "orders")}
    assert len({one.wap_id for one in alone.values()}) == 3 + 3 * 3
    assert {key: (one.rows, one.digest) for key, one in alone.items()} == {
        key: (one.rows, one.digest) for key, one in together.items()
    }


def test_hours_between_those_that_are_built_are_left_as_they_are(
    sell: Callable[..., Chain],
) -> None:
    chain = sell(ranked())
    outcomes = build_hours_of(_context(chain, [1, 3, 5]), each_alone(lambda _hour: accept))
    assert all(isinstance(one, Publication) for one in outcomes.values())
    assert {row["hour"] for row in chain.rows("ranked")} == {hour(1), hour(3), hour(5)}


def test_a_range_is_no_larger_than_memory_allows_and_a_larger_hour_is_one(
    sell: Callable[..., Chain],
) -> None:
    chain = sell(ranked())
    chain.orders.append([(hour(4), "east", n) for n in range(40)])
    chain.cell = replace(chain.cell, spark={"spark.driver.memory": "20k"})
    bound = read_range_bounds(chain.cell, chain.product).rows
    assert 3 + 2 < bound < 40, "so the first hours go together, and the fourth alone is too large"
    done = chain.build(HOURS)
    ranges: dict[str, list[int]] = defaultdict(list)
    for one in done:
        assert isinstance(one.outcome, Publication)
        ranges[one.outcome.wap_id].append(one.build.rows)
    assert next(iter(ranges.values()))[:2] == [3, 2]
    assert [40] in ranges.values()
    assert all(sum(rows) <= bound or len(rows) == 1 for rows in ranges.values())
    assert {row["hour"] for row in chain.rows("ranked")} == set(map(hour, HOURS))


def _context(chain: Chain, numbers: Iterable[int]) -> RangeContext:
    events = load_table(chain.cell, "orders.events").metadata.current_snapshot_id or 0
    sources = {hour(n): Source(events, chain.orders.count(hour(n))) for n in numbers}
    (table,) = chain.product.derived_tables
    log = PublicationLog.read(chain.cell, "orders")
    return RangeContext(chain.spark, chain.cell, chain.product, table, sources, "run", log)


FROM = "FROM events GROUP BY region, date_trunc('HOUR', _event_time)"
AT = "date_trunc('HOUR', _event_time)"


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (f"{AT} + INTERVAL 9 HOURS", "`hour` is 2026-01-01 10:00:00"),
        (f"{AT} - INTERVAL 9 HOURS", "`hour` is 2025-12-31 16:00:00"),
        (f"{AT} + INTERVAL 9 MINUTES", "`hour` is 2026-01-01 01:09:00"),
        ("CAST(NULL AS TIMESTAMP)", "`hour` is null"),
        (f"CAST({AT} AS STRING)", "it gives string"),
        (None, "it gives no such column"),
    ],
)
def test_rows_of_no_hour_of_the_range_are_refused_by_name(
    sell: Callable[..., Chain], at: str | None, why: str
) -> None:
    column = "1 AS one" if at is None else f"{at} AS hour"
    bad = of_range("bad", f"SELECT region, count(*) AS orders, {column} {FROM}")
    chain = sell(bad)
    (done,) = chain.build([1])
    assert isinstance(done.outcome, LogicError)
    assert why in str(done.outcome)
    assert "orders.bad hour 2026-01-01T01" in str(done.outcome)
    assert chain.rows("bad") == []
    assert not read_publications(chain.cell, "orders")


ONE_HOUR = f"{AT} = TIMESTAMP '2026-01-01 03:00:00'"


@pytest.mark.parametrize(
    ("at", "error"),
    [
        (f"if({ONE_HOUR}, {AT} + INTERVAL 1 DAY, {AT})", LogicError),
        (f"if({ONE_HOUR}, CAST(raise_error('no') AS TIMESTAMP), {AT})", SparkFailedError),
    ],
)
def test_an_hour_that_logic_fails_for_harms_no_other(
    sell: Callable[..., Chain], at: str, error: type[Exception]
) -> None:
    bad = of_range("bad", f"SELECT region, count(*) AS orders, {at} AS hour {FROM}")
    chain = sell(bad, sales())
    outcomes = {(one.build.derived_table, one.build.hour): one for one in chain.build(HOURS)}
    failed = outcomes.pop(("bad", hour(3)))
    assert isinstance(failed.outcome, error)
    assert "hour 2026-01-01T03" in str(failed.outcome)
    assert all(isinstance(one.outcome, Publication) for one in outcomes.values())
    assert {row["hour"] for row in chain.rows("bad")} == {hour(1), hour(2), hour(5)}
    assert {hour_of(row["hour"]) for row in chain.rows("sales")} == set(map(hour, (1, 2, 3, 5)))


def test_python_that_raises_for_an_hour_of_the_range_harms_no_other(
    sell: Callable[..., Chain],
) -> None:
    text = """
def build(inputs):
    if inputs.start.hour <= 3 < inputs.end.hour:
        raise ValueError("three")
    return inputs.tables["events"].selectExpr("region", "date_trunc('HOUR', _event_time) AS hour")
"""
    chain = sell(of_range("bad", text, "python"))
    outcomes = {one.build.hour.hour: one.outcome for one in chain.build(HOURS)}
    assert isinstance(outcomes[3], LogicError)
    assert "it raised ValueError: three" in str(outcomes[3])
    assert {n for n, one in outcomes.items() if isinstance(one, Publication)} == {1, 2, 4, 5}
    assert {row["hour"].hour for row in chain.rows("bad")} == {1, 2, 5}
