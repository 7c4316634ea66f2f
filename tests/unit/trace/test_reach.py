"""Which hours of derived tables a row reaches: the inverse of what planning reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.batch.planning.staleness import hours_of, hours_reading
from pipeline.contract.model import DerivedTable, Product, Read
from pipeline.control.publications import Publication
from pipeline.trace.reach import reach, reached
from tests.support.orders import derived, orders_product

HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def table(name: str, *reads: dict[str, Any]) -> DerivedTable:
    return derived(name, "SELECT 1", reads=tuple(Read(**read) for read in reads))


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return orders_product(
        tmp_path,
        table("sales", {"table": "events"}),
        table("runs", {"table": "sales"}, {"table": "runs", "back": 1}),
        table("week", {"table": "runs", "hours": 3}, {"table": "events", "hours": 2, "back": 1}),
    )


@pytest.mark.parametrize("read", [Read(table="t"), Read(table="t", hours=3, back=2)])
def test_hours_reading_is_the_inverse_of_the_hours_that_are_read(read: Read) -> None:
    for later in hours_reading(read, NOON):
        assert NOON in hours_of(read, later)
    around = [NOON + n * HOUR for n in range(-9, 9)]
    assert [hour for hour in around if NOON in hours_of(read, hour)] == [*hours_reading(read, NOON)]


def test_a_row_reaches_hours_through_every_table_between(product: Product) -> None:
    found = [
        (one.table.name, (one.hour - NOON) // HOUR, one.through, one.onward)
        for one in reach(product, NOON)
    ]
    assert found == [
        ("sales", 0, ("events",), False),
        ("runs", 0, ("sales",), False),
        ("runs", 1, ("runs",), True),
        ("week", 0, ("runs",), False),
        ("week", 1, ("runs", "events"), False),
        ("week", 2, ("runs", "events"), False),
        ("week", 3, ("runs",), False),
    ]


def published(name: str, hour: int, at: int, source: int) -> Publication:
    return Publication(
        f"orders.{name}",
        NOON + hour * HOUR,
        NOON + at * HOUR,
        source,
        1,
        2,
        f"w{at}",
        3,
        "1",
        "r",
        0,
    )


def test_a_build_has_the_row_if_its_source_had_it_and_so_had_what_it_reads(
    product: Product,
) -> None:
    # The row came with commit 5; snapshot 60 is commit 6, and of 70 nothing is known.
    publications = [
        published("sales", 0, 1, 40),
        published("runs", 0, 1, 40),
        published("runs", 0, 2, 60),
        published("sales", 0, 3, 60),
        published("runs", 0, 4, 60),
        published("sales", 0, 5, 70),
    ]
    found = reached(product, reach(product, NOON), 5, publications, {40: 4, 60: 6})
    told = {(one.table, (one.hour - NOON) // HOUR): one for one in found}
    assert [build.holds for build in told["sales", 0].builds] == [False, True, None]
    # The second was computed after the commit, of an hour of sales from before it.
    assert [build.holds for build in told["runs", 0].builds] == [False, False, True]
    assert [build.is_current for build in told["runs", 0].builds] == [False, False, True]
    assert told["week", 0].builds == ()
    unknown = reached(product, reach(product, NOON), None, publications, {40: 4, 60: 6})
    assert {build.holds for one in unknown for build in one.builds} == {None}
