"""Hours built as one range on a real Spark: equal to hours built alone, and none hurt by another."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.build import record_unrecorded
from pipeline.batch.context import RangeContext
from pipeline.batch.errors import EmptiedHourError, StagingOutdatedError
from pipeline.batch.model import RangeOutcome, Rejected, Source, Staged
from pipeline.batch.planning.staleness import fingerprint
from pipeline.batch.wap import stage as staging
from pipeline.batch.wap.audit_frame import AuditFunction
from pipeline.batch.wap.publish import publish
from pipeline.batch.wap.stage import stage
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.control.alerts import read_alerts
from pipeline.control.publications import (
    Publication,
    PublicationLog,
    read_publications,
)
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import publications_table
from quality.auditor import RunAuditor
from quality.data_docs import site
from tests.support.derivations import Chain, chained_product
from tests.support.hour_builds import CrashError, Opinion, build_hours_of, crash_at, each_alone
from tests.support.orders import Orders, hour, orders_product, sales
from tests.support.shop import TABLE, Sales, Shop

HOURS = (1, 2, 3, 4, 5)
ALL = tuple(map(hour, HOURS))
BAD = 3


def all_but(*failing: int) -> AuditFunction:
    def judge(at: datetime, frame: DataFrame) -> Opinion:
        assert frame.select("hour").distinct().count() == 1
        return Opinion(at not in map(hour, failing), met=2)

    return each_alone(lambda at: lambda frame: judge(at, frame))


@dataclass
class Ranges(Shop):
    """The shop, built by ranges."""

    def context(self, numbers: Iterable[int]) -> RangeContext:
        events = load_table(self.cell, "orders.events").metadata.current_snapshot_id
        return self.pinned(
            {hour(n): Source(events or 0, self.orders.count(hour(n))) for n in numbers}
        )

    def build(
        self, numbers: Iterable[int] = HOURS, audit: AuditFunction | None = None
    ) -> Mapping[datetime, RangeOutcome]:
        return build_hours_of(self.context(numbers), audit or all_but())

    def stage(self, numbers: Iterable[int] = HOURS) -> Staged:
        return stage(self.context(numbers))

    def snapshots(self, of: str = TABLE) -> int:
        return len(load_table(self.cell, of).metadata.snapshots)

    def expected(self, numbers: Iterable[int] = HOURS) -> dict[datetime, Sales]:
        return {hour(n): rows for n in numbers if (rows := self.orders.expected(hour(n)))}

    def recorded(self) -> dict[datetime, Publication]:
        found = read_publications(self.cell, "orders")
        assert len({(one.wap_id, one.hour) for one in found}) == len(found)
        return {one.hour: one for one in found}


@pytest.fixture
def shop(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Ranges:
    orders = Orders(quiet_cell)
    orders.append(
        [
            (hour(n), region, n * amount)
            for n in (1, 2, 3, 5)
            for region, amount in (("north", 3), ("south", 4), ("north", 5))
        ]
    )
    return Ranges(spark, quiet_cell, orders_product(tmp_path), orders)


def test_a_range_is_what_its_hours_are_alone(
    shop: Ranges, spark: SparkSession, tmp_path: Path
) -> None:
    outcomes = shop.build()
    assert shop.published() == shop.expected()
    assert shop.recorded() == outcomes
    assert {at: one.rows for at, one in shop.recorded().items()} == dict(
        zip(ALL, (2, 2, 2, 0, 2), strict=True)
    )
    assert len({one.wap_id for one in shop.recorded().values()}) == 1
    assert shop.tags() == set()
    together = shop.recorded()
    for number in HOURS:
        shop.build([number])
    alone = shop.recorded()
    for at, one in alone.items():
        same = ("rows", "digest", "handover", "source_rows", "inputs", "expectations")
        assert {name: getattr(one, name) for name in same} == {
            name: getattr(together[at], name) for name in same
        }


def test_a_range_is_one_staging_one_publishing_and_one_commit_of_records(shop: Ranges) -> None:
    shop.build([1])
    tables = (TABLE, publications_table("orders"))
    before = [shop.snapshots(table) for table in tables]
    shop.build([2, 3, 4, 5])
    # The staging, and what cherry-picking it onto a main that has moved makes of it.
    assert [shop.snapshots(table) for table in tables] == [before[0] + 1, before[1] + 1]
    assert shop.published() == shop.expected()


def test_hours_that_fail_stay_as_they_were_and_staged_while_the_others_are_published(
    shop: Ranges,
) -> None:
    outcomes = shop.build(audit=all_but(BAD))
    rejected = outcomes[hour(BAD)]
    assert isinstance(rejected, Rejected)
    assert shop.published() == shop.expected(set(HOURS) - {BAD})
    assert set(shop.recorded()) == {hour(n) for n in HOURS if n != BAD}
    (alert,) = read_alerts(shop.cell, "orders")
    assert (alert.table, alert.hour, alert.kind) == (TABLE, hour(BAD), "audit_failed")
    assert alert.wap_id == rejected.staged.wap_id
    # Main had nothing when it was staged: there is no base to keep.
    (tag,) = shop.tags()
    assert tag == f"staging-20260101T03-{rejected.staged.wap_id}"
    session = shop.context([BAD]).session()
    kept = staging.staged_frame(session, shop.cell, rejected.staged).collect()
    assert sorted((r["region"], r["orders"], r["amount"]) for r in kept) == shop.orders.expected(
        hour(BAD)
    )
    assert isinstance(shop.build([BAD])[hour(BAD)], Publication)
    assert shop.published() == shop.expected()
    assert shop.tags() == set()


def test_a_range_of_which_no_hour_passes_leaves_main_as_it_was(shop: Ranges) -> None:
    shop.build([1])
    before = shop.main()
    outcomes = shop.build(audit=all_but(1, 2, 3, 5))
    assert shop.main() == before
    assert [at for at, one in outcomes.items() if isinstance(one, Publication)] == [hour(4)]
    assert len(read_alerts(shop.cell, "orders")) == 4
    assert len(shop.tags()) == 8


def test_an_hour_that_was_emptied_is_named_and_the_others_go_on(
    shop: Ranges, tmp_path: Path
) -> None:
    shop.build()
    was = shop.published()[hour(2)]
    text = f"{sales().logic.text} HAVING sum(amount) <> 16 AND sum(amount) <> 8"
    shop.product = orders_product(tmp_path, sales(text))
    outcomes = shop.build()
    emptied = outcomes[hour(2)]
    assert isinstance(emptied, EmptiedHourError)
    assert "hour 2026-01-01T02" in str(emptied)
    assert shop.published()[hour(2)] == was
    assert sum(isinstance(one, Publication) for one in outcomes.values()) == 4
    assert shop.tags() == set()
    assert record_unrecorded(shop.context([2])) == {}, "the range that is on main has nothing of it"
    assert shop.recorded()[hour(2)].rows == 2


def test_a_range_is_staged_again_whole_where_one_of_its_hours_has_changed(shop: Ranges) -> None:
    outdated = shop.stage()
    shop.build([2])
    with pytest.raises(StagingOutdatedError):
        publish(shop.spark, shop.cell, outdated)
    assert shop.published() == shop.expected([2])
    asked: list[int] = []

    def overtaken(rows: Any) -> Any:
        asked.append(len(rows.hours))
        if len(asked) == 1:
            shop.orders.append([(hour(5), "west", 1)])
            shop.build([5])
        return all_but(BAD)(rows)

    outcomes = shop.build(audit=overtaken)
    assert asked == [4, 3], "what failed is not asked about again"
    assert isinstance(outcomes[hour(BAD)], Rejected)
    assert shop.published()[hour(1)] == shop.orders.expected(hour(1))


PLACES = [
    "hour.before_stage",
    "hour.after_stage",
    "hour.after_audit",
    "hour.after_stage_again",
    "hour.after_publish",
    "hour.after_release",
    "hour.after_record",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_range_that_was_killed_is_made_good_by_the_next_build(
    shop: Ranges, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    with monkeypatch.context() as patched:
        crash_at(patched, place)
        with pytest.raises(CrashError):
            shop.build(audit=all_but(BAD))
    is_published = place in PLACES[4:]
    assert (shop.main() is not None) == is_published
    assert bool(shop.recorded()) == (place == "hour.after_record")
    main = shop.main()
    outcomes = shop.build(audit=all_but())
    assert {at: type(one) for at, one in outcomes.items()} == dict.fromkeys(ALL, Publication)
    assert shop.published() == shop.expected()
    assert set(shop.recorded()) == set(ALL)
    assert shop.tags() == set()
    if is_published and place != "hour.after_record":
        # What was published is taken over: only the hour that had failed is built.
        assert {
            one.published_snapshot_id for at, one in shop.recorded().items() if at == ALL[0]
        } == {main}


def test_what_is_lacking_of_a_range_is_recorded_hour_by_hour_too(
    shop: Ranges, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        crash_at(patched, "hour.after_publish")
        with pytest.raises(CrashError):
            shop.build()
    main = shop.main()
    assert set(record_unrecorded(shop.context([5]))) == {hour(5)}
    assert set(shop.recorded()) == {hour(5)}
    shop.build([1, 2, 3, 4])
    assert shop.main() == main
    assert set(shop.recorded()) == set(ALL)
    assert record_unrecorded(shop.context(HOURS)) == {}


def test_a_staging_that_a_version_of_one_hour_each_has_left_is_recovered(
    shop: Ranges, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(staging, "summary_of", _summary_of_one_hour)
        crash_at(patched, "hour.after_publish")
        with pytest.raises(CrashError):
            shop.build([2])
    main = shop.main()
    table = load_table(shop.cell, TABLE)
    (snapshot,) = table.metadata.snapshots
    assert snapshot.summary is not None
    assert "headwater.hour" in snapshot.summary.additional_properties
    outcomes = shop.build([1, 2])
    assert shop.recorded() == outcomes
    recovered = shop.recorded()[hour(2)]
    assert (recovered.published_snapshot_id, recovered.rows) == (main, 2)
    assert shop.published() == shop.expected([1, 2])


def test_a_feature_is_derived_once_of_a_range_as_of_its_hours_one_by_one(
    spark: SparkSession, quiet_cell: Cell, tmp_path: Path
) -> None:
    numbers = (22, 23, 24, 25)
    together, alone = _chains(spark, quiet_cell, tmp_path, numbers)
    table = together.product.derived_tables[-1]
    before = len(load_table(quiet_cell, "orders.streaks").metadata.snapshots)
    outcomes = build_hours_of(_context(together, numbers), all_but(23))
    assert isinstance(outcomes[hour(23)], Rejected)
    history = load_table(quiet_cell, "orders.tastes_history").metadata
    # The staging, and the hours that passed staged again, which become main's as they are.
    assert (len(history.snapshots), before) == (2, 4)
    assert len(load_table(quiet_cell, "orders.tastes").metadata.snapshots) == 1
    for number in (22, 24, 25):
        build_hours_of(_context(alone, [number]), all_but())
    for chain in (together, alone):
        assert {row["hour"] for row in chain.last_builds()} == {hour(22), hour(24), hour(25)}
    assert together.last_builds() == alone.last_builds()
    assert together.rows(table.name) == alone.rows(table.name) != []
    for chain in (together, alone):
        build_hours_of(_context(chain, [23]), all_but())
    assert together.rows(table.name) == alone.rows(table.name)
    served = load_table(quiet_cell, "orders.tastes").metadata
    assert served.refs["served"].snapshot_id == served.current_snapshot_id


def _chains(
    spark: SparkSession, cell: Cell, folder: Path, numbers: Iterable[int]
) -> tuple[Chain, Chain]:
    """Return two products in cells of their own, with the same events, and `streaks` built."""
    other = embedded_cell(folder / "alone", "us", "127.0.0.1:9")
    save_cell(folder / "alone", other)
    chains = tuple(Chain(spark, each, chained_product(folder)) for each in (cell, other))
    for chain in chains:
        for number in numbers:
            regions = ("north", "north", "south", f"region {number}")
            chain.orders.append([(hour(number), region, 1) for region in regions])
        chain.build(numbers, derived_tables=["streaks"])
    return chains[0], chains[1]


def _context(chain: Chain, numbers: Iterable[int]) -> RangeContext:
    """Return the context of hours of the feature table."""
    log = PublicationLog.read(chain.cell, "orders")
    table = chain.product.derived_tables[-1]
    events = load_table(chain.cell, "orders.events").metadata.current_snapshot_id or 0
    sources = {
        hour(n): Source(events, 0, fingerprint(chain.product, table, hour(n), log.last))
        for n in numbers
    }
    return RangeContext(chain.spark, chain.cell, chain.product, table, sources, "run", log)


def test_the_jobs_of_a_range_do_not_grow_with_its_hours(
    shop: Ranges, quiet_cell: Cell, tmp_path: Path
) -> None:
    # Without a shuffle for each hour that is computed by itself.
    shop.product = orders_product(tmp_path, sales("SELECT region, 1 AS orders, amount FROM events"))
    shop.orders.append([(hour(n), "east", n) for n in range(6, 26)])
    jobs = []
    for numbers in (range(6, 8), range(8, 26)):
        scheduler = shop.spark.sparkContext._jsc.sc().dagScheduler()
        before = scheduler.numTotalJobs()
        auditor = RunAuditor(quiet_cell, "orders", "run")
        outcomes = shop.build(numbers, auditor(shop.product.derived_tables[0]))
        jobs.append(scheduler.numTotalJobs() - before)
        assert all(isinstance(one, Publication) for one in outcomes.values())
    assert jobs[1] <= jobs[0]


def test_the_audits_of_a_range_are_each_on_a_page_of_its_own(
    shop: Ranges, quiet_cell: Cell
) -> None:
    auditor = RunAuditor(quiet_cell, "orders", "run")
    # The smallest sales are 4 in hour 1, 8 in hour 2, and so on; there are none in hour 4.
    outcomes = shop.build(audit=auditor(sales(minimum=9)))
    verdicts = {at: auditor.publish("sales", at) for at in outcomes}
    passed = {at: verdict.passed for at, verdict in verdicts.items() if verdict is not None}
    assert passed == {hour(1): False, hour(2): False, hour(3): True, hour(5): True}
    audits = auditor.audits("sales")
    assert (audits.hours, audits.failed) == (4, [hour(1), hour(2)])
    pages = {
        at: (site(quiet_cell) / page.validation).read_text() for at, page in audits.pages.items()
    }
    # The word stands among the page's filters, too.
    assert {at: text.count("Failed") == 1 for at, text in pages.items()} == passed
    assert auditor.publish("sales", hour(1)) is None, "told once"


def _summary_of_one_hour(staged: Staged) -> dict[str, str]:
    (one,) = staged.hours
    return {
        "headwater.hour": one.hour.isoformat(),
        "headwater.source-snapshot-id": str(staged.source_snapshot_id),
        "headwater.contract-version": staged.contract_version,
        "headwater.run-id": staged.run_id,
        "headwater.expectations": str(staged.expectations),
        "headwater.source-rows": str(one.source_rows),
        "headwater.inputs": one.inputs,
        "headwater.columns": json.dumps(staged.columns),
    }
