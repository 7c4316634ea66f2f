"""Hours that rows of events reach are followed from table to table, and each build had them or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.contract.model import DerivedTable, Feature, Product, Read
from pipeline.control.publications import Publication
from pipeline.impact.model import Found, HeldRows, HourReached, Standing
from pipeline.impact.reach import reach
from tests.support.orders import derived, hour, orders_product

EARLY, LATE = 10, 20
"""Sequence numbers of two commits of events; a snapshot has its number for its id."""
SALES = derived("sales", "")
WINDOW = derived("window", "", reads=(Read(table="events", hours=2, back=1),))
TOTALS = derived("totals", "", reads=(Read(table="sales", hours=3),))
RUNS = derived("runs", "", reads=(Read(table="events"), Read(table="runs", back=1)))
TASTES = derived(
    "tastes",
    "",
    reads=(Read(table="totals"),),
    feature=Feature(entity=("region",), ttl_s=1, partitions=("region",)),
)


def product(*tables: DerivedTable) -> Product:
    return orders_product(Path("orders"), *tables)


def rows(number: int, count: int = 1, sequence_number: int | None = EARLY) -> HeldRows:
    return HeldRows(hour(number), count, sequence_number, sequence_number)


def build(
    table: str,
    number: int,
    source: int,
    at: int = 0,
    handover: str = "1:1",
    digest: str | None = None,
) -> Publication:
    return Publication(
        table=f"orders.{table}",
        hour=hour(number),
        published_at=hour(100) + timedelta(minutes=at),
        source_snapshot_id=source,
        staged_snapshot_id=1,
        published_snapshot_id=2,
        wap_id=f"{table}-{number}-{at}",
        rows=1,
        contract_version="1.0.0",
        run_id="run",
        expectations=1,
        handover=handover,
        digest=digest,
    )


def reached(
    of: Product, held: Iterable[HeldRows], builds: Iterable[Publication] = ()
) -> dict[tuple[str, int], HourReached]:
    numbers = {EARLY: EARLY, LATE: LATE}
    found = reach(of, Found(rows=tuple(held), publications=tuple(builds), numbers=numbers))
    return {(one.table, round((one.hour - hour(0)) / timedelta(hours=1))): one for one in found}


def test_hours_are_those_whose_reads_cover_the_rows_hour() -> None:
    found = reached(product(SALES, WINDOW, TOTALS, TASTES), [rows(5)])
    assert [*found] == [
        ("sales", 5),
        ("window", 6),
        ("window", 7),
        ("totals", 5),
        ("totals", 6),
        ("totals", 7),
        ("tastes", 5),
        ("tastes", 6),
        ("tastes", 7),
    ]
    assert found["totals", 6].through == ("sales",)
    assert found["tastes", 6].identifier == "orders.tastes_history"
    assert {one.standing for one in found.values()} == {Standing.UNPUBLISHED}


@pytest.mark.parametrize(
    ("sources", "standing", "had"),
    [
        ([EARLY], Standing.PARTLY, 2),
        ([LATE], Standing.HOLDS, 5),
        ([1], Standing.NOT_YET, 0),
        ([1, EARLY, LATE], Standing.HOLDS, 5),
        # A build again from what was there before: it is the last that counts.
        ([LATE, EARLY], Standing.PARTLY, 2),
        ([999], Standing.UNKNOWN, 0),
    ],
)
def test_a_build_had_what_was_committed_before_its_snapshot(
    sources: list[int], standing: Standing, had: int
) -> None:
    builds = [build("sales", 5, source, at) for at, source in enumerate(sources)]
    held = [rows(5, 2), rows(5, 3, LATE)]
    numbers = {1: 1, EARLY: EARLY, LATE: LATE}
    found = Found(rows=tuple(held), publications=tuple(builds), numbers=numbers)
    (one,) = reach(product(SALES), found)
    assert (one.standing, one.rows, one.builds[-1].rows) == (standing, 5, had)
    assert one.last == builds[-1]


def test_a_table_of_a_table_holds_what_the_build_that_it_read_held() -> None:
    first, again = build("sales", 5, EARLY - 1, 0), build("sales", 5, EARLY, 5)
    of = product(SALES, TOTALS)
    numbers = {EARLY - 1: EARLY - 1, EARLY: EARLY}

    def totals(*at: int) -> Standing:
        builds = (first, again, *(build("totals", 5, EARLY, one) for one in at))
        found = reach(of, Found(rows=(rows(5),), publications=builds, numbers=numbers))
        return next(one.standing for one in found if (one.table, one.hour) == ("totals", hour(5)))

    assert totals(1) is Standing.NOT_YET
    assert totals(1, 6) is Standing.HOLDS
    assert totals() is Standing.UNPUBLISHED


def test_an_hour_that_reads_one_to_be_built_again_is_to_be_built_again() -> None:
    builds = [
        build("sales", 5, EARLY, 0),
        build("sales", 6, EARLY, 1),
        build("totals", 6, EARLY, 2),
    ]
    found = reached(product(SALES, TOTALS), [rows(5), rows(6, 1, LATE)], builds)
    assert found["sales", 5].standing is Standing.HOLDS
    assert found["sales", 6].standing is Standing.NOT_YET
    assert found["totals", 6].standing is Standing.PARTLY


def test_hours_hand_on_as_long_as_they_are_published_and_have_what_to_hand_on() -> None:
    of = product(RUNS)
    builds = [build("runs", number, EARLY, number) for number in range(3, 9)]
    found = reached(of, [rows(5)], builds)
    assert [number for _, number in found] == [5, 6, 7, 8]
    assert found["runs", 7].through == ("runs",)
    assert found["runs", 7].rows == 0
    assert {one.standing for one in found.values()} == {Standing.HOLDS}
    ends = [replace(one, handover="0:0") if one.hour == hour(6) else one for one in builds]
    assert [number for _, number in reached(of, [rows(5)], ends)] == [5, 6]


def test_what_was_built_before_and_reads_what_is_as_it_was_is_not_changed() -> None:
    of = product(SALES, TOTALS, RUNS)
    before, now = EARLY - 1, EARLY
    numbers = {before: before, now: now}

    def standings(digest: str, handover: str) -> dict[tuple[str, int], Standing]:
        builds = [
            build("sales", 5, before, 0, digest="1:7"),
            build("totals", 5, before, 1),
            build("sales", 5, now, 10, digest=digest),
            *(build("runs", number, before, 1) for number in (5, 6, 7)),
            build("runs", 5, now, 10, handover=handover),
        ]
        found = reach(of, Found(rows=(rows(5),), publications=tuple(builds), numbers=numbers))
        return {(one.table, one.hour.hour): one.standing for one in found}

    as_it_was = standings("1:7", "1:1")
    assert as_it_was["totals", 5] is Standing.UNCHANGED
    assert as_it_was["runs", 6] is Standing.UNCHANGED
    # What reads an hour that is not changed is not reached by way of it.
    assert ("runs", 7) not in as_it_was
    other = standings("1:8", "1:2")
    assert other["totals", 5] is Standing.NOT_YET
    assert other["runs", 6] is Standing.NOT_YET
    assert other["runs", 7] is Standing.NOT_YET


def test_hours_of_one_range_are_recorded_at_once_and_read_each_other() -> None:
    builds = [build("runs", number, EARLY, 0) for number in (5, 6)]
    assert reached(product(RUNS), [rows(5)], builds)["runs", 6].standing is Standing.HOLDS


def test_rows_that_no_entry_counts_are_in_builds_that_nothing_tells_of() -> None:
    found = reached(product(SALES), [rows(5, 1, None)], [build("sales", 5, EARLY)])
    assert found["sales", 5].standing is Standing.UNKNOWN
