"""Tables derived from tables: late rows, what depends on them, and features that keep every build."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.table import DataScan
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.execute import MissingInput
from pipeline.batch.model import Rejected
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.clock import hour_of
from pipeline.contract.model import DerivedTable
from pipeline.control.alerts import read_alerts
from pipeline.control.publications import Publication
from pipeline.disk import FileDamagedError
from pipeline.impact.cause import read_cause
from pipeline.impact.cause_model import Came
from pipeline.impact.impact import read_impact
from pipeline.impact.key_rows import KeyUnknownError
from pipeline.impact.model import Standing
from pipeline.impact.selection import Selection
from pipeline.spark.session import own_session
from pipeline.spark.tables import rows_at
from pipeline.tables.catalog import load_table
from tests.support.damage import damaged, data_file
from tests.support.derivations import Chain, built, chained_product
from tests.support.hour_builds import CrashError, Judge, Opinion, crash_at
from tests.support.orders import hour, orders_product, ranked

TABLES = ("sales", "streaks", "tastes")


@pytest.fixture
def chain(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Chain:
    return Chain(spark, quiet_cell, chained_product(tmp_path))


def north(number: int, orders: int) -> list[tuple[datetime, str, int]]:
    return [(hour(number), "north", 1)] * orders


def test_late_rows_build_their_hour_and_what_depends_on_it_and_nothing_else(chain: Chain) -> None:
    for number in range(1, 6):
        chain.orders.append([*north(number, 2), (hour(number), "south", 1)])
    everything = [(table, number) for table in TABLES for number in range(1, 6)]
    assert built(chain.build(range(1, 6))) == everything
    assert chain.build(range(1, 6)) == []

    # West hands nothing over: streaks of the next hour are as they were.
    chain.orders.append([(hour(2), "west", 1)])
    assert built(chain.build(range(1, 6))) == [
        ("sales", 2),
        ("streaks", 2),
        ("tastes", 2),
        ("tastes", 3),
        ("tastes", 4),
    ]
    # With two orders south hands its streak over to hour 3, which hands nothing over.
    chain.orders.append([(hour(2), "south", 1)])
    assert built(chain.build(range(1, 6))) == [
        ("sales", 2),
        ("streaks", 2),
        ("streaks", 3),
        ("tastes", 2),
        ("tastes", 3),
        ("tastes", 4),
        ("tastes", 5),
    ]
    assert chain.build(range(1, 6)) == []
    told_why(chain)
    told_where_it_went(chain)


def told_why(chain: Chain) -> None:
    """Hold what is told of hour 2, built three times, to the orders and to what Spark reads."""
    cause = read_cause(chain.cell, chain.product, "streaks", hour(2), {"region": "south"})
    assert [one.rows for one in cause.earlier] == [3, 2]
    counted = Counter(one.came for one in cause.fed for _ in range(one.rows))
    # Two of north and one of south at first, then west, then one more of south.
    assert counted == {Came.BEFORE: 4, Came.SINCE: 1}
    assert sum(counted.values()) == cause.build.source_rows == chain.orders.count(hour(2))
    assert cause.values_changed is True
    assert cause.reasons == ("1 rows of events had come",)
    (read,) = cause.inputs
    assert (read.table, read.hour, read.is_other) == ("streaks", hour(1), False)
    assert cause.inputs_proven
    assert cause.rows is not None
    assert [row["orders"] for row in cause.rows.now] == [2]
    assert [row["orders"] for row in cause.rows.before or ()] == [1]
    source = rows_at(
        own_session(chain.spark, chain.cell),
        chain.cell,
        "orders.events",
        cause.build.source_snapshot_id,
    )
    within = f"_event_time >= '{hour(2)}' AND _event_time < '{hour(3)}'"
    by_offset = source.where(within).select("_topic_partition", "_offset").collect()
    assert {(one.partition, one.first, one.last) for one in cause.fed} == {
        (0, min(of), max(of))
        for of in ([4, 5, 3], [15], [16])
        for of in [[row["_offset"] for row in by_offset if row["_offset"] in of]]
    }

    feature = read_cause(chain.cell, chain.product, "tastes", hour(4), {"region": "south"})
    assert not feature.fed
    assert [(one.hour.hour, one.is_other) for one in feature.inputs] == [
        (2, True),
        (3, True),
        (4, False),
    ]
    assert feature.rows is not None
    assert [row["orders"] for row in feature.rows.now] == [4]
    assert [row["orders"] for row in feature.rows.before or ()] == [3]
    for key, what in (({"regon": "south"}, "Did you mean region"), ({"orders": "many"}, "no long")):
        with pytest.raises(KeyUnknownError, match=what):
            read_cause(chain.cell, chain.product, "streaks", hour(2), key)


def told_where_it_went(chain: Chain) -> None:
    """Hold what is told of the last order to what was built for it."""
    found = read_impact(chain.cell, chain.product, Selection(partition=0, start=16, end=17))
    went = {(one.table, one.hour.hour): one.standing for one in found.reached}
    built_again = {
        *(("sales", 2), ("streaks", 2), ("streaks", 3)),
        *(("tastes", number) for number in (2, 3, 4, 5)),
    }
    assert built_again == {at for at, standing in went.items() if standing is Standing.HOLDS}
    others = {at: standing for at, standing in went.items() if at not in built_again}
    # What hour 3 hands on is as it was, and no hour after 5 was built.
    assert others.pop(("streaks", 4)) is Standing.UNCHANGED
    assert {*others.values()} <= {Standing.UNPUBLISHED}
    history = load_table(chain.cell, "orders.tastes_history").scan().to_arrow().to_pylist()
    for one in found.reached:
        if one.table == "tastes" and one.last is not None:
            of_build = [row for row in history if row["build"] == one.last.wap_id]
            assert len(of_build) == one.last.rows
    served = Counter(row["hour"] for row in chain.rows("tastes"))
    assert {one.hour: one.rows for one in found.served} == {
        at: count for at, count in served.items() if ("tastes", at.hour) in built_again
    }


@pytest.mark.parametrize("by", ["range", "hour"])
def test_rounds_of_late_rows_come_to_what_one_recompute_gives(
    chain: Chain, spark: SparkSession, tmp_path: Path, by: str
) -> None:
    draw = random.Random(by)  # noqa: S311
    hours = range(1, 5)
    chain.product = orders_product(tmp_path, *chain.product.derived_tables, ranked())

    def some(count: int) -> list[tuple[datetime, str, int]]:
        regions = ("north", "south", "west")
        return [(hour(draw.choice(hours)), draw.choice(regions), 1) for _ in range(count)]

    for number in hours:
        chain.orders.append(north(number, 1))
    for closed in (hours[:2], hours, hours):
        chain.orders.append(some(3))
        for chosen in [closed] if by == "range" else [[number] for number in closed]:
            chain.build(closed, hours=[hour(number) for number in chosen])

    cell = embedded_cell(tmp_path / "anew", "us", "127.0.0.1:9")
    save_cell(tmp_path / "anew", cell)
    anew = Chain(spark, cell, chain.product)
    anew.orders.append(_orders(chain))
    anew.build(hours)
    for table in (*TABLES, "ranked"):
        assert chain.rows(table) == anew.rows(table) != []
    assert chain.last_builds() == anew.last_builds()


def test_an_hour_of_a_failed_audit_is_an_alert_and_holds_up_what_reads_it(chain: Chain) -> None:
    chain.orders.append(north(1, 2) + north(2, 2))
    chain.build([1])
    before = chain.rows("streaks")

    def refuse_streaks(table: DerivedTable, _hour: datetime) -> Judge:
        def judge(_frame: DataFrame) -> Opinion:
            return Opinion(passed=table.name != "streaks")

        return judge

    outcomes = {one.build.derived_table: one.outcome for one in chain.build([1, 2], refuse_streaks)}
    assert isinstance(outcomes["sales"], Publication)
    assert isinstance(outcomes["streaks"], Rejected)
    assert outcomes["tastes"] == MissingInput("streaks", hour(2))
    assert chain.rows("streaks") == before
    (alert,) = read_alerts(chain.cell, "orders")
    assert (alert.table, alert.hour, alert.kind) == ("orders.streaks", hour(2), "audit_failed")
    assert alert.detail == "Too few."
    assert built(chain.build([1, 2])) == [("streaks", 2), ("tastes", 2)]


def test_bytes_that_changed_are_named_for_their_hour_and_others_are_built(chain: Chain) -> None:
    chain.orders.append(north(1, 2))
    chain.orders.append(north(2, 2))
    file = data_file(load_table(chain.cell, "orders.events"))
    with damaged(file):
        outcomes = [one for one in chain.build([1, 2]) if one.build.derived_table == "sales"]
    failed = [one.outcome for one in outcomes if not isinstance(one.outcome, Publication)]
    assert (len(outcomes), len(failed)) == (2, 1)
    assert isinstance(failed[0], FileDamagedError)
    assert file.name in failed[0].what
    again = built(chain.build([1, 2]))
    assert [table for table, _ in again].count("sales") == 1
    assert chain.build([1, 2]) == []


@pytest.mark.parametrize(
    "place",
    [
        "hour.after_stage",
        "hour.after_publish",
        "hour.after_stage_current",
        "hour.after_publish_current",
        "hour.after_release",
    ],
)
def test_a_feature_build_that_was_cut_off_is_made_good_by_the_next(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    chain.orders.append(north(1, 2) + north(2, 2))
    chain.build([1, 2], derived_tables=["streaks"])
    chain.build([1], derived_tables=["tastes"])
    served = chain.rows("tastes")
    with monkeypatch.context() as patched:
        crash_at(patched, place)
        with pytest.raises(CrashError):
            chain.build([1, 2], derived_tables=["tastes"])
    if place in ("hour.after_stage", "hour.after_publish", "hour.after_stage_current"):
        assert chain.rows("tastes") == served
    chain.build([1, 2], derived_tables=["tastes"])
    assert [(r["region"], r["hour"], r["orders"], r["streak"]) for r in chain.rows("tastes")] == [
        ("north", hour(2), 4, 2)
    ]
    assert [row["hour"] for row in chain.last_builds()] == [hour(1), hour(2)]
    table = load_table(chain.cell, "orders.tastes")
    assert table.metadata.refs["served"].snapshot_id == table.metadata.current_snapshot_id
    assert chain.build([1, 2]) != []
    assert chain.build([1, 2]) == []


def test_a_build_that_readers_have_and_that_is_not_recorded_yet_is_not_taken_from_them(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.orders.append(north(1, 1) + north(2, 1))
    chain.build([1, 2], derived_tables=["streaks"])

    with monkeypatch.context() as patched:
        crash_at(patched, "hour.after_publish_current")
        with pytest.raises(CrashError):
            chain.build([2], derived_tables=["tastes"])
    served = chain.rows("tastes")
    assert [row["hour"] for row in served] == [hour(2)]
    chain.build([1], derived_tables=["tastes"])
    assert chain.rows("tastes") == served


def test_hours_of_one_day_may_be_published_at_once(chain: Chain) -> None:
    chain.orders.append(north(1, 1) + north(2, 1) + [(hour(1), "south", 1)])
    chain.build([1, 2], derived_tables=["sales", "streaks"])

    def one(number: int) -> None:
        plan = chain.plan([number], derived_tables=["tastes"])
        chain.execute(plan, run_id=str(number))

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(one, (1, 2)))
    assert {row["hour"] for row in chain.last_builds()} == {hour(1), hour(2)}
    assert {(row["region"], row["hour"].hour) for row in chain.rows("tastes")} == {
        ("north", 2),
        ("south", 2),
    }


def test_a_backfill_reads_its_publications_once_however_many_hours_it_has(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.orders.append([order for number in range(1, 5) for order in north(number, 1)])
    chain.build([1])
    plan = chain.plan(range(1, 5))
    whole: list[str] = []
    original = DataScan.to_arrow

    def to_arrow(scan: DataScan) -> pa.Table:
        if scan.table_metadata.location.endswith("publications") and "*" in scan.selected_fields:
            whole.append(scan.table_metadata.location)
        return original(scan)

    with monkeypatch.context() as patched:
        patched.setattr(DataScan, "to_arrow", to_arrow)
        done = chain.execute(plan)
    assert built(done) == [(table, number) for table in TABLES for number in (2, 3, 4)]
    assert all(isinstance(one.outcome, Publication) for one in done)
    assert len(whole) == 1
    assert chain.build(range(1, 5)) == []


def _orders(chain: Chain) -> list[tuple[datetime, str, int]]:
    rows = load_table(chain.cell, "orders.events").scan().to_arrow().to_pylist()
    return [(hour_of(row["_event_time"]), row["region"], row["amount"]) for row in rows]
