"""Ranges of a table that reads its own hour before: computed at once, and what hour after hour gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.execute import BuildResult, MissingInput
from pipeline.batch.model import Rejected
from pipeline.batch.planning.read_range import read_ranges
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable
from pipeline.control.publications import Publication, read_publications
from tests.support.derivations import Chain, built, chained_product
from tests.support.hour_builds import CrashError, Judge, Opinion, crash_at
from tests.support.orders import hour
from tests.support.streaks import by_hand, published, some_orders

HOURS = range(1, 7)


@pytest.fixture
def chain(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Chain:
    """Streaks computed by ranges."""
    return Chain(spark, quiet_cell, chained_product(tmp_path, "timeRange"))


def records(chain: Chain) -> Mapping[datetime, Publication]:
    """The last record of each hour."""
    found = read_publications(chain.cell, "orders")
    return {one.hour: one for one in found if one.table == "orders.streaks"}


def assert_settled(chain: Chain) -> None:
    """Hold all rows to those counted by hand, and find nothing left to do."""
    assert published(chain) == by_hand(chain, HOURS) != {}
    assert chain.build(HOURS, derived_tables=["streaks"]) == []


def outcomes(done: Iterable[BuildResult]) -> dict[int, object]:
    return {one.build.hour.hour: one.outcome for one in done}


def test_a_range_is_one_staging_and_what_its_hours_are_alone(chain: Chain, tmp_path: Path) -> None:
    chain.orders.append(some_orders(1, HOURS))
    plan = chain.plan(HOURS, derived_tables=["streaks"])
    (together,) = read_ranges(chain.cell, chain.product, plan).ranges
    assert together.hours == tuple(map(hour, HOURS))
    chain.execute(plan)
    assert len({one.wap_id for one in records(chain).values()}) == 1
    assert max(streak for rows in published(chain).values() for *_, streak in rows) > 2
    assert_settled(chain)
    at_once = records(chain)

    chain.product = chained_product(tmp_path)
    chain.build(HOURS, derived_tables=["streaks"], again=True)
    same = ("rows", "digest", "handover", "source_rows", "inputs")
    for at, alone in records(chain).items():
        assert alone.wap_id != at_once[at].wap_id
        assert [getattr(alone, n) for n in same] == [getattr(at_once[at], n) for n in same]
    assert_settled(chain)


def test_ranges_go_on_from_those_before_them(chain: Chain) -> None:
    chain.orders.append(some_orders(2, HOURS))
    for until in (1, 4, 6):
        chain.build(range(1, until + 1), derived_tables=["streaks"])
    assert_settled(chain)


def test_late_rows_build_their_hour_and_those_that_it_hands_over_to(chain: Chain) -> None:
    chain.orders.append(some_orders(3, HOURS))
    chain.build(HOURS, derived_tables=["streaks"])
    chain.orders.append([(hour(2), "north", 1)] * 2 + [(hour(5), "south", 1)] * 2)
    done = built(chain.build(HOURS, derived_tables=["streaks"]))
    assert ("streaks", 2) in done
    assert ("streaks", 1) not in done
    assert_settled(chain)


def test_what_follows_a_failed_audit_waits_and_nothing_of_it_is_seen(chain: Chain) -> None:
    chain.orders.append(some_orders(4, HOURS))

    def refuse(_table: DerivedTable, at: datetime) -> Judge:
        def judge(_frame: DataFrame) -> Opinion:
            return Opinion(passed=at not in (hour(3), hour(5)))

        return judge

    found = outcomes(chain.build(HOURS, refuse, derived_tables=["streaks"]))
    assert all(isinstance(found[number], Publication) for number in (1, 2))
    assert isinstance(found[3], Rejected)
    assert [found[n] for n in (4, 5, 6)] == [
        MissingInput("streaks", hour(n - 1)) for n in (4, 5, 6)
    ]
    assert published(chain) == by_hand(chain, HOURS, failing=[hour(3), hour(5)])
    chain.build(HOURS, derived_tables=["streaks"])
    assert_settled(chain)


def test_what_follows_a_failed_audit_of_a_published_hour_is_built_from_what_main_has(
    chain: Chain,
) -> None:
    chain.orders.append(some_orders(5, HOURS))
    chain.build(HOURS, derived_tables=["streaks"])
    before = published(chain)

    def refuse(_table: DerivedTable, at: datetime) -> Judge:
        def judge(_frame: DataFrame) -> Opinion:
            return Opinion(passed=at != hour(4))

        return judge

    done = chain.build(HOURS, refuse, derived_tables=["streaks"], again=True)
    found = outcomes(done)
    assert [type(found[n]) for n in HOURS] == [Publication] * 3 + [Rejected] + [Publication] * 2
    assert [one.build.hour.hour for one in done] == [*HOURS]
    assert published(chain) == before
    assert chain.build(HOURS, derived_tables=["streaks"]) == []


def test_what_follows_an_hour_that_cannot_be_computed_waits(chain: Chain) -> None:
    chain.orders.append([*some_orders(6, HOURS), (hour(4), "west", -1)])
    found = outcomes(chain.build(HOURS, derived_tables=["streaks"]))
    assert [type(found[n]) for n in (1, 2, 3)] == [Publication] * 3
    assert not isinstance(found[4], Publication)
    assert [found[n] for n in (5, 6)] == [MissingInput("streaks", hour(n - 1)) for n in (5, 6)]
    assert published(chain) == by_hand(chain, [1, 2, 3])


@pytest.mark.parametrize(
    "place", ["hour.after_stage", "hour.after_publish", "hour.after_release", "hour.after_record"]
)
def test_a_range_that_was_cut_off_is_made_good_by_the_next(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    chain.orders.append(some_orders(7, HOURS))
    chain.build([1, 2], derived_tables=["streaks"])
    with monkeypatch.context() as patched:
        crash_at(patched, place)
        with pytest.raises(CrashError):
            chain.build(HOURS, derived_tables=["streaks"])
    # First some of them, as sensors do: what is recorded of the others must not count as sound.
    chain.build(HOURS, hours=[hour(4)], derived_tables=["streaks"])
    chain.build(HOURS, derived_tables=["streaks"])
    assert_settled(chain)
