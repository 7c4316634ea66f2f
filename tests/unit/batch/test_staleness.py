"""What makes a published hour outdated, and what it waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.batch.planning.plan import PastRetentionError, plan_hours
from pipeline.batch.planning.staleness import (
    BuildReason,
    PlanInputs,
    build_reason,
    fingerprint,
    hours_of,
    late_rows,
    missing_inputs,
    past_retention,
    source_rows,
)
from pipeline.contract.model import DerivedTable, Gates, LatePolicy, Read
from pipeline.control.publications import Publication, latest
from tests.support.derivations import chained_product
from tests.support.orders import hour

PRODUCT = chained_product(Path("contracts"))
SALES, STREAKS, TASTES = PRODUCT.derived_tables
AT = hour(10)


def publication(table: str, number: int, **what: object) -> Publication:
    found = Publication(
        f"orders.{table}", hour(number), AT, 1, 2, 2, f"{table}-{number}", 5, "1.2.0", "run", 2,
        source_rows=10, inputs="", digest=f"{table}-{number}", handover=f"handed-{number}",
    )  # fmt: skip
    return replace(found, **what)  # type: ignore[arg-type]


def plan_inputs(rows: dict[int, int], *publications: Publication, now: datetime = AT) -> PlanInputs:
    hours = {hour(number): count for number, count in rows.items()}
    return PlanInputs("us", 77, hours, tuple(hours), latest(publications), now)


def with_policy(table: DerivedTable, share: float, wait: timedelta) -> DerivedTable:
    policy = LatePolicy(share=share, wait_s=wait.total_seconds())
    return table.model_copy(update={"late": policy})


def test_reads_cover_the_hours_that_the_contract_says() -> None:
    assert hours_of(Read(table="t"), hour(5)) == (hour(5),)
    assert hours_of(Read(table="t", hours=3), hour(5)) == (hour(3), hour(4), hour(5))
    assert hours_of(Read(table="t", hours=2, back=1), hour(5)) == (hour(3), hour(4))


def test_an_hour_that_was_never_published_is_new() -> None:
    assert build_reason(PRODUCT, SALES, hour(1), plan_inputs({1: 10})) is BuildReason.NEW


def test_an_hour_is_sound_while_events_have_the_rows_it_saw() -> None:
    assert (
        build_reason(PRODUCT, SALES, hour(1), plan_inputs({1: 10}, publication("sales", 1))) is None
    )


def test_rows_count_as_late_when_they_come_after_the_build() -> None:
    looked = plan_inputs({1: 13}, publication("sales", 1))
    assert late_rows(SALES, hour(1), publication("sales", 1), looked) == 3
    assert build_reason(PRODUCT, SALES, hour(1), looked) is BuildReason.LATE


@pytest.mark.parametrize(
    ("late", "waited", "reason"),
    [
        (1, timedelta(hours=1), None),
        (2, timedelta(0), BuildReason.LATE),
        (1, timedelta(hours=6), BuildReason.LATE),
        (0, timedelta(days=9), None),
    ],
)
def test_late_rows_wait_until_they_are_many_or_have_waited(
    late: int, waited: timedelta, reason: BuildReason | None
) -> None:
    sales = with_policy(SALES, 0.2, timedelta(hours=6))
    looked = plan_inputs({1: 10 + late}, publication("sales", 1), now=AT + waited)
    assert build_reason(PRODUCT, sales, hour(1), looked) is reason


@pytest.mark.parametrize("late_s", [None, 3_600.0])
def test_few_late_rows_wait_until_the_gates_have_let_no_more_through_for_a_day(
    late_s: float | None,
) -> None:
    gates = Gates(freshness_s=600.0, late_s=late_s)
    product = PRODUCT.model_copy(update={"gates": gates})
    sales = SALES.model_copy(update={"late": LatePolicy(share=1.0)})
    closed = timedelta(days=1, seconds=late_s or gates.freshness_s)
    found = [
        build_reason(
            product, sales, hour(1), plan_inputs({1: 11}, publication("sales", 1), now=AT + waited)
        )
        for waited in (closed - timedelta(seconds=1), closed)
    ]
    assert found == [None, BuildReason.LATE]


def test_an_hour_follows_the_rows_of_what_it_reads_and_not_their_builds() -> None:
    published = [publication("streaks", number) for number in (3, 4, 5)]
    print_of = fingerprint(PRODUCT, TASTES, hour(5), latest(published))
    own = publication("tastes_history", 5, inputs=print_of, source_rows=0)
    rebuilt = replace(published[0], wap_id="other", published_at=AT + timedelta(hours=1))
    rows = dict.fromkeys((3, 4, 5), 0)
    assert (
        build_reason(PRODUCT, TASTES, hour(5), plan_inputs(rows, *published, own, rebuilt)) is None
    )
    changed = replace(rebuilt, digest="others")
    assert (
        build_reason(PRODUCT, TASTES, hour(5), plan_inputs(rows, *published, own, changed))
        is BuildReason.INPUTS
    )


def test_a_table_that_reads_itself_follows_only_what_is_handed_over() -> None:
    before = publication("streaks", 4)
    own = publication("streaks", 5, inputs=fingerprint(PRODUCT, STREAKS, hour(5), latest([before])))
    other_rows = replace(before, digest="others")
    assert build_reason(PRODUCT, STREAKS, hour(5), plan_inputs({5: 10}, other_rows, own)) is None
    handed = replace(before, handover="others")
    assert (
        build_reason(PRODUCT, STREAKS, hour(5), plan_inputs({5: 10}, handed, own))
        is BuildReason.INPUTS
    )


def test_an_hour_waits_for_the_hours_it_reads_that_there_are() -> None:
    looked = plan_inputs({4: 1, 5: 1}, publication("streaks", 5))
    # Hour 3 has no rows and has not passed yet: there is nothing to wait for.
    assert list(missing_inputs(PRODUCT, TASTES, hour(5), looked)) == [("streaks", hour(4))]
    assert list(missing_inputs(PRODUCT, SALES, hour(5), looked)) == []


def test_publications_of_the_first_format_count_as_sound() -> None:
    old = replace(
        publication("sales", 1), source_rows=None, inputs=None, digest=None, handover=None
    )
    assert build_reason(PRODUCT, SALES, hour(1), plan_inputs({1: 99}, old)) is None


def test_source_rows_are_those_of_all_hours_that_are_read() -> None:
    wide = SALES.model_copy(update={"reads": (Read(table="events", hours=2),)})
    assert source_rows(wide, hour(2), {hour(1): 3, hour(2): 4, hour(3): 5}) == 7


def past(
    rows: dict[int, int], *publications: Publication, before: int = 3, now: datetime = AT
) -> PlanInputs:
    return replace(plan_inputs(rows, *publications, now=now), retained_from=hour(before))


def test_an_hour_whose_events_retention_deleted_is_never_stale() -> None:
    for left in (0, 2, 99):
        looked = past({1: left}, publication("sales", 1), now=AT + timedelta(days=9))
        assert build_reason(PRODUCT, SALES, hour(1), looked) is None
        assert late_rows(SALES, hour(1), publication("sales", 1), looked) == 0
    assert build_reason(PRODUCT, SALES, hour(1), past({1: 2})) is None, "never published"
    assert build_reason(PRODUCT, SALES, hour(3), past({3: 2})) is BuildReason.NEW
    late = past({3: 13}, publication("sales", 3))
    assert build_reason(PRODUCT, SALES, hour(3), late) is BuildReason.LATE


def test_neither_is_one_that_reads_such_an_hour_among_others() -> None:
    wide = SALES.model_copy(update={"reads": (Read(table="events", hours=3),)})
    looked = past({3: 1, 4: 1, 5: 1}, before=3)
    assert [past_retention(PRODUCT, wide, hour(n), looked) for n in (4, 5)] == [True, False]


def test_what_is_computed_from_published_hours_outlives_their_events() -> None:
    published = [publication("streaks", number) for number in (0, 1, 2)]
    looked = past({2: 0}, *published)
    assert build_reason(PRODUCT, TASTES, hour(2), looked) is BuildReason.NEW
    assert past_retention(PRODUCT, STREAKS, hour(2), looked)
    # Of an hour that was never published nothing can be computed, and nobody waits for it.
    assert past_retention(PRODUCT, TASTES, hour(2), past({2: 0}, *published[:2]))
    assert list(missing_inputs(PRODUCT, STREAKS, hour(3), past({2: 0, 3: 1}))) == []
    assert list(missing_inputs(PRODUCT, STREAKS, hour(4), past({3: 1, 4: 1}))) == [
        ("streaks", hour(3))
    ]


def test_an_hour_that_cannot_be_built_is_refused_by_name_and_the_others_are_planned() -> None:
    rows = dict.fromkeys(range(6), 5)
    looked = past(rows, *(publication("sales", number) for number in range(6)))
    planned = plan_hours(PRODUCT, looked, derived_tables=["sales"], again=True)
    assert [build.hour for build in planned.builds] == [hour(3), hour(4), hour(5)]
    with pytest.raises(PastRetentionError, match="hour 2026-01-01T02 of sales cannot be built"):
        plan_hours(PRODUCT, looked, hours=[hour(4), hour(2)], again=True)
    with pytest.raises(PastRetentionError, match="hour 2026-01-01T02 of sales"):
        plan_hours(PRODUCT, past(rows), hours=[hour(2)], derived_tables=["sales"])
    alone = plan_hours(PRODUCT, looked, hours=[hour(2)], derived_tables=["sales"])
    assert alone.builds == (), "published, and nothing is due of it"
