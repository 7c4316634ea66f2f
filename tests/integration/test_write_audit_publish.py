"""Write, audit, publish on a real Spark: what readers of main see, and when."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.build import record_unrecorded
from pipeline.batch.context import RangeContext
from pipeline.batch.errors import LogicError, SourceExpiredError, StagingOutdatedError
from pipeline.batch.model import Rejected, Source, Staged
from pipeline.batch.wap.publish import publish
from pipeline.batch.wap.stage import stage, staged_frame
from pipeline.cells import Cell
from pipeline.control.publications import Publication, read_publications, record
from pipeline.lineage.files import lineage_folder
from pipeline.spark.session import own_session
from pipeline.tables.catalog import load_table
from tests.support.catalogs import CATALOGS, EVERYWHERE
from tests.support.hour_builds import CrashError, Judge, Opinion, build, crash_at
from tests.support.openlineage_schemas import check_event
from tests.support.orders import Orders, hour, orders_product, sales
from tests.support.shop import TABLE, Sales, Shop


def accept(_frame: DataFrame) -> Opinion:
    return Opinion(met=2)


def refuse(_frame: DataFrame) -> Opinion:
    return Opinion(passed=False, reasons=())


@dataclass
class HourByHour(Shop):
    """The shop, an hour at a time, from a snapshot that the test chooses."""

    source: int = 0

    def build(self, number: int, judge: Judge = accept) -> Publication | Rejected:
        return build(self.context(number), judge)

    def stage(self, number: int) -> Staged:
        return stage(self.context(number))

    def recover(self, number: int) -> Publication | None:
        return record_unrecorded(self.context(number)).get(hour(number))

    def context(self, number: int) -> RangeContext:
        return self.pinned({hour(number): Source(self.source, self.orders.count(hour(number)))})

    def has(self, number: int) -> Sales:
        return self.published().get(hour(number), [])

    def recorded(self) -> list[tuple[int, int]]:
        found = read_publications(self.cell, self.product.name)
        return sorted((publication.hour.hour, publication.rows) for publication in found)


@pytest.fixture
def shop(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> HourByHour:
    orders = Orders(quiet_cell)
    orders.append([(hour(1), "north", 3), (hour(1), "south", 4), (hour(1), "north", 5)])
    source = orders.append([(hour(2), "north", 7), (hour(2), "east", 1), (hour(3), "west", 9)])
    return HourByHour(spark, quiet_cell, orders_product(tmp_path), orders, source)


@pytest.mark.parametrize("quiet_cell", EVERYWHERE, indirect=True)
def test_a_good_hour_is_published_and_equals_a_recompute(shop: HourByHour) -> None:
    publication = shop.build(1)
    assert isinstance(publication, Publication)
    assert shop.has(1) == shop.orders.expected(hour(1)) != []
    assert publication.published_snapshot_id == shop.main()
    assert (publication.rows, publication.expectations) == (2, 2)
    assert publication.source_snapshot_id == shop.source
    assert publication.contract_version == "1.2.0"
    assert read_publications(shop.cell, "orders") == (publication,)
    assert shop.tags() == set(), "nothing is kept from expiry once an hour is settled"


def test_every_build_leaves_its_lineage(shop: HourByHour) -> None:
    shop.build(1)
    shop.build(2, refuse)
    shop.build(8)
    (path,) = lineage_folder(shop.cell).iterdir()
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        check_event(event)
    told = [
        (
            event["run"]["facets"]["nominalTime"]["nominalStartTime"][11:13],
            event["job"]["name"].removeprefix("orders.sales"),
            event["eventType"],
        )
        for event in events
    ]
    assert told == [
        ("01", "", "START"),
        ("01", ".audit", "START"),
        ("01", ".audit", "COMPLETE"),
        ("01", "", "COMPLETE"),
        ("02", "", "START"),
        ("02", ".audit", "START"),
        ("02", ".audit", "COMPLETE"),
        ("02", "", "FAIL"),
        ("08", "", "START"),
        ("08", "", "COMPLETE"),
    ]
    written = events[3]["outputs"][0]
    assert [f["name"] for f in written["facets"]["schema"]["fields"]][-1] == "hour"
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 2


def test_an_audit_sees_the_rows_of_the_staged_hour_alone(shop: HourByHour) -> None:
    seen: list[list[tuple[str, int, int]]] = []

    def look(frame: DataFrame) -> Opinion:
        seen.append(sorted((r["region"], r["orders"], r["amount"]) for r in frame.collect()))
        return Opinion(met=2)

    shop.build(1, look)
    shop.build(2, look)
    assert seen == [shop.orders.expected(hour(1)), shop.orders.expected(hour(2))]


def test_a_failing_audit_leaves_main_as_it_was_and_the_staging_to_look_at(shop: HourByHour) -> None:
    shop.build(1)
    before = shop.main()
    rejected = shop.build(2, refuse)
    assert isinstance(rejected, Rejected)
    assert shop.main() == before
    assert shop.has(2) == []
    assert shop.recorded() == [(1, 2)]
    staging = staged_frame(own_session(shop.spark, shop.cell), shop.cell, rejected.staged)
    assert sorted(row["region"] for row in staging.collect()) == ["east", "north"]
    assert len(shop.tags()) == 2, "the staging and its base are kept from expiry"


def test_a_rejected_hour_can_be_built_again_and_its_staging_is_let_go(shop: HourByHour) -> None:
    shop.build(2, refuse)
    assert isinstance(shop.build(2), Publication)
    assert shop.has(2) == shop.orders.expected(hour(2))
    assert shop.tags() == set()


def test_an_audit_that_raises_leaves_main_as_it_was(shop: HourByHour) -> None:
    def break_down(_frame: DataFrame) -> Opinion:
        raise RuntimeError("the audit broke down")

    before = shop.main()
    with pytest.raises(RuntimeError):
        shop.build(1, break_down)
    assert shop.main() == before


def test_hours_staged_from_one_base_are_all_published(shop: HourByHour) -> None:
    first, second, third = shop.stage(1), shop.stage(2), shop.stage(3)
    assert first.base_snapshot_id == second.base_snapshot_id == third.base_snapshot_id
    for staged in (second, first, third):
        publish(shop.spark, shop.cell, staged)
    for number in (1, 2, 3):
        assert shop.has(number) == shop.orders.expected(hour(number))


@pytest.mark.parametrize("quiet_cell", CATALOGS, indirect=True)
def test_hours_staged_at_once_by_threads_do_not_share_a_staging(shop: HourByHour) -> None:
    with ThreadPoolExecutor(3) as threads:
        stagings = list(threads.map(shop.stage, (1, 2, 3)))
    assert [staged.starts[0] for staged in stagings] == [hour(1), hour(2), hour(3)]
    assert len({staged.snapshot_id for staged in stagings}) == 3
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda staged: publish(shop.spark, shop.cell, staged), stagings))
    for number in (1, 2, 3):
        assert shop.has(number) == shop.orders.expected(hour(number))


def test_publishing_twice_is_one_publication(shop: HourByHour) -> None:
    shop.build(3)
    first, other = shop.stage(1), shop.stage(2)
    published = publish(shop.spark, shop.cell, first)
    publish(shop.spark, shop.cell, other)
    main = shop.main()
    assert publish(shop.spark, shop.cell, first) == published
    assert publish(shop.spark, shop.cell, other) == main
    assert shop.main() == main


def test_a_publication_is_recorded_once(shop: HourByHour) -> None:
    publication = shop.build(1)
    assert isinstance(publication, Publication)
    assert record(shop.cell, "orders", [publication]) == ()
    assert shop.recorded() == [(1, 2)]


def test_a_staging_of_an_hour_that_changed_on_main_is_refused(shop: HourByHour) -> None:
    outdated = shop.stage(1)
    shop.build(1)
    main = shop.main()
    with pytest.raises(StagingOutdatedError):
        publish(shop.spark, shop.cell, outdated)
    assert shop.main() == main


@pytest.mark.parametrize("quiet_cell", CATALOGS, indirect=True)
def test_a_build_that_another_overtakes_stages_again_and_publishes(shop: HourByHour) -> None:
    audits: list[str] = []

    def overtaken(_frame: DataFrame) -> Opinion:
        audits.append("audited")
        if len(audits) == 1:
            shop.build(1)
        return Opinion(met=2)

    assert isinstance(shop.build(1, overtaken), Publication)
    assert len(audits) == 2, "what is published is what was audited"
    assert shop.has(1) == shop.orders.expected(hour(1))
    assert shop.recorded() == [(1, 2), (1, 2)]


def test_a_build_that_is_always_overtaken_ends_with_a_named_error(shop: HourByHour) -> None:
    def overtaken(_frame: DataFrame) -> Opinion:
        shop.build(1)
        return Opinion(met=2)

    with pytest.raises(StagingOutdatedError):
        shop.build(1, overtaken)


def test_an_hour_without_rows_is_recorded_and_makes_no_snapshot(shop: HourByHour) -> None:
    shop.build(1)
    before = shop.main()
    publication = shop.build(8, refuse)
    assert isinstance(publication, Publication)
    assert (publication.rows, publication.published_snapshot_id) == (0, None)
    assert shop.main() == before
    assert shop.recorded() == [(1, 2), (8, 0)]


def test_a_build_reads_its_own_snapshot_however_events_grow(shop: HourByHour) -> None:
    expected = shop.orders.expected(hour(1))
    shop.orders.append([(hour(1), "north", 1_000)])
    shop.build(1)
    assert shop.has(1) == expected


def test_a_rebuild_with_late_data_replaces_the_hour_and_equals_a_recompute(
    shop: HourByHour,
) -> None:
    shop.build(1)
    shop.build(2)
    shop.source = shop.orders.append([(hour(1), "north", 1_000), (hour(1), "new", 1)])
    shop.build(1)
    assert shop.has(1) == shop.orders.expected(hour(1))
    assert shop.has(2) == shop.orders.expected(hour(2))


@pytest.mark.parametrize("quiet_cell", CATALOGS, indirect=True)
def test_a_crash_after_staging_leaves_main_and_the_next_build_converges(
    shop: HourByHour, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("hour.before_stage", "hour.after_stage", "hour.after_audit"):
        with monkeypatch.context() as patched:
            crash_at(patched, place)
            with pytest.raises(CrashError):
                shop.build(1)
        assert shop.main() is None
        assert shop.recorded() == []
    assert isinstance(shop.build(1), Publication)
    assert shop.has(1) == shop.orders.expected(hour(1))
    assert shop.recorded() == [(1, 2)]
    assert shop.tags() == set()


@pytest.mark.parametrize("place", ["hour.after_publish", "hour.after_release", "hour.after_record"])
@pytest.mark.parametrize("others", [(), (2,)], ids=["first", "not-first"])
def test_a_crash_after_publishing_is_made_good_by_the_next_build(
    shop: HourByHour, monkeypatch: pytest.MonkeyPatch, place: str, others: tuple[int, ...]
) -> None:
    staged_by_others = [shop.stage(number) for number in others]
    with monkeypatch.context() as patched:
        crash_at(patched, place)
        with pytest.raises(CrashError):
            shop.build(1)
    for staged in staged_by_others:
        publish(shop.spark, shop.cell, staged)
    main = shop.main()
    recovered = shop.recover(1)
    assert (recovered is None) == (place == "hour.after_record")
    assert shop.recover(1) is None, "recovering is done once"
    assert shop.main() == main
    assert shop.recorded() == [(1, 2)]
    assert not any("T01-" in tag for tag in shop.tags())


def test_the_next_build_of_the_same_snapshot_takes_over_what_was_published(
    shop: HourByHour, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        crash_at(patched, "hour.after_publish")
        with pytest.raises(CrashError):
            shop.build(1)
    main = shop.main()
    assert isinstance(shop.build(1), Publication)
    assert shop.main() == main
    assert shop.recorded() == [(1, 2)]


def test_a_statement_that_cannot_run_is_an_error_by_name(shop: HourByHour, tmp_path: Path) -> None:
    for sql in ("SELECT nothing FROM events", "SELEC", "SELECT now() AS hour FROM events"):
        shop.product = orders_product(tmp_path, sales(sql))
        with pytest.raises(LogicError):
            shop.build(1)


def test_a_column_may_come_or_go_and_may_not_change_its_type(
    shop: HourByHour, tmp_path: Path
) -> None:
    shop.build(1)
    shop.product = orders_product(
        tmp_path,
        sales("SELECT region, count(*) AS orders, max(amount) AS largest FROM events GROUP BY 1"),
    )
    shop.build(2)
    rows = load_table(shop.cell, TABLE).scan().to_arrow().to_pylist()
    assert {(r["hour"].hour, r["amount"] is None, r["largest"] is None) for r in rows} == {
        (1, False, True),
        (2, True, False),
    }
    shop.product = orders_product(tmp_path, sales("SELECT 1 AS region FROM events"))
    with pytest.raises(LogicError, match="region"):
        shop.build(3)


def test_an_expired_source_is_an_error_by_name(shop: HourByHour) -> None:
    shop.source = 12345
    with pytest.raises(SourceExpiredError):
        shop.build(1)
