"""Retention of events: hours that the contract keeps no longer go whole, once, and are accounted for."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.table import Table

from pipeline.batch.pin import pinned
from pipeline.cells import Cell, embedded_cell
from pipeline.clock import HOUR, utc_now
from pipeline.contract.model import Product, Retention
from pipeline.errors import RetryableError
from pipeline.failpoints import arm
from pipeline.ledger.read import read_ledger
from pipeline.ledger.retention import RETENTION_PROPERTY, RetentionAccount, retention_account
from pipeline.maintenance.execute import MaintenanceResult
from pipeline.maintenance.need import DueStep, Step
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.retention.execute import RowsDoubledError
from pipeline.maintenance.run import (
    maintain,
    maintain_due,
    maintain_tables,
    plan_due_steps,
    plan_maintenance,
)
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import CommitConflictError
from pipeline.tables.data_files.rewrite import MAINTENANCE_KEY
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import check_not_rolled_back, main_history
from pipeline.trace.duplicates import NOTHING
from pipeline.trace.model import Answer
from pipeline.trace.read import trace_event
from tests.support import warehouse
from tests.support.failpoints import failpoints_of
from tests.support.orders import SCHEMA, Orders, hour, orders_product

EVENTS = "orders.events"
KEPT = 10
"""Hours."""
EAGER = MaintenancePolicy(retain=timedelta(0), retain_last=1, min_files=2, min_manifests=2)
RETAIN = [DueStep(EVENTS, Step.RETENTION, "")]


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return kept(orders_product(tmp_path))


def kept(product: Product, hours: int = KEPT) -> Product:
    retention = Retention(hot_ms=3_600_000, warm_ms=hours * 3_600_000)
    topic = product.topic.model_copy(update={"retention": retention})
    return product.model_copy(update={"topic": topic})


def at(number: int) -> Callable[[], datetime]:
    return lambda: hour(number) + timedelta(minutes=30)


def fill(orders: Orders, hours: int, each: int = 3) -> None:
    for number in range(hours):
        orders.append([(hour(number), "eu", n) for n in range(each)], partition=number % 2)


def events(cell: Cell) -> Table:
    return load_table(cell, EVENTS)


def coordinates(cell: Cell) -> list[tuple[int, int]]:
    rows = events(cell).scan(selected_fields=("_topic_partition", "_offset")).to_arrow()
    return sorted((row["_topic_partition"], row["_offset"]) for row in rows.to_pylist())


def expected(orders: Orders, first: int) -> list[tuple[int, int]]:
    return sorted(
        (int(str(row["_topic_partition"])), int(str(row["_offset"])))
        for row in orders.rows
        if row["_event_time"] >= hour(first)  # type: ignore[operator]
    )


def of_events(done: tuple[MaintenanceResult, ...]) -> MaintenanceResult:
    return next(one for one in done if one.table == EVENTS)


def test_whole_hours_go_and_the_account_and_the_summary_say_what(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 8)
    offsets = committed_offsets(events(quiet_cell))
    done = of_events(tuple(maintain_tables(quiet_cell, product, RETAIN, clock=at(15))))
    assert (done.hours_deleted, done.rows_deleted) == (5, 15)
    assert (done.rows_before, done.rows_after) == (24, 9)
    assert done.files_before - done.files_after == 5
    assert done.bytes_after < done.bytes_before
    table = events(quiet_cell)
    assert coordinates(quiet_cell) == expected(orders, 5)
    account = retention_account(table)
    assert account.before == hour(5)
    assert [(one.partition, one.rows, one.start, one.end) for one in account.deleted] == [
        (0, 9, 0, 9),
        (1, 6, 0, 6),
    ]
    newest = next(main_history(table))
    assert newest.summary is not None
    assert newest.summary.operation.value == "delete"
    assert newest.summary[MAINTENANCE_KEY] == "retention"
    assert RetentionAccount.from_json(newest.summary[RETENTION_PROPERTY] or "") == account
    assert committed_offsets(table) == offsets
    check_not_rolled_back(table)
    ledger = read_ledger(quiet_cell, product)
    assert ledger.balanced
    assert (ledger.totals.rows, ledger.retention) == (24, account)


def test_a_deleted_row_is_traced_as_long_as_a_snapshot_has_it(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 8)
    gone, kept_row = orders.rows[0], orders.rows[-1]
    of_events(tuple(maintain_tables(quiet_cell, product, RETAIN, clock=at(15))))
    found = trace_event(quiet_cell, product, str(gone["_uuid"]), NOTHING)
    (row,) = found.facts.rows
    assert (found.answer, row.event_time) == (Answer.DELETED, gone["_event_time"])
    assert row.deletion is not None
    assert row.deletion.snapshot_id == events(quiet_cell).metadata.current_snapshot_id
    assert trace_event(quiet_cell, product, str(kept_row["_uuid"]), NOTHING).answer is Answer.ROW
    orders.append([(hour(9), "eu", 1)])
    # By the clock of the commits; no hour is too old then.
    maintain(quiet_cell, kept(product, 10**5), replace(EAGER, retain_commits=timedelta(0)))
    found = trace_event(quiet_cell, product, str(gone["_uuid"]), NOTHING)
    assert (found.answer, "deleted 15 rows" in found.summary) == (Answer.UNKNOWN, True)
    found = trace_event(quiet_cell, product, str(kept_row["_uuid"]), NOTHING)
    commit = found.facts.rows[0].commit
    # Its snapshot has expired: the ledger tells.
    assert commit is not None
    assert (commit.retained, commit.run_id, commit.contract_version) == (False, "test", "1.2.0")
    assert commit.entry.rows == 3


def test_it_is_idempotent_and_rows_that_come_later_go_the_next_time(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 8)
    maintain(quiet_cell, product, EAGER, at(15))
    snapshot, account = events(quiet_cell).metadata.current_snapshot_id, _account(quiet_cell)
    assert of_events(maintain(quiet_cell, product, EAGER, at(15))).hours_deleted == 0
    assert events(quiet_cell).metadata.current_snapshot_id == snapshot
    assert _account(quiet_cell) == account
    orders.append([(hour(1), "eu", 1), (hour(6), "eu", 1)])
    done = of_events(maintain(quiet_cell, product, EAGER, at(15)))
    assert (done.hours_deleted, done.rows_deleted) == (1, 1)
    assert _account(quiet_cell).rows == account.rows + 1
    assert coordinates(quiet_cell) == expected(orders, 5)


def test_what_the_contract_keeps_for_ever_stays(
    orders: Orders, quiet_cell: Cell, tmp_path: Path
) -> None:
    fill(orders, 8)
    forever = orders_product(tmp_path)
    assert forever.topic.retention.events is None
    maintain(quiet_cell, forever, EAGER, at(100_000))
    assert coordinates(quiet_cell) == expected(orders, 0)
    assert plan_maintenance(quiet_cell, forever, EAGER, at(100_000))[0].retention is None


def test_it_is_planned_told_and_due_by_what_metadata_says(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 8)
    (planned,) = (p for p in plan_maintenance(quiet_cell, product, clock=at(15)) if p.retention)
    assert planned.retention is not None
    assert [one.hour for one in planned.retention.hours] == [hour(n) for n in range(5)]
    assert (planned.retention.rows, planned.retention.files) == (15, 5)
    (due,) = plan_due_steps(quiet_cell, product, clock=at(15))
    assert due.step is Step.RETENTION
    assert "rows from 2026-01-01T00 on" in due.reason
    assert of_events(maintain_due(quiet_cell, product, clock=at(15))).due == (due,)
    assert plan_due_steps(quiet_cell, product, clock=at(15)) == ()
    orders.append([(hour(1), "eu", 1)])
    assert plan_due_steps(quiet_cell, product, clock=at(20)) == ()
    assert [one.step for one in plan_due_steps(quiet_cell, product, clock=at(22))] == [
        Step.RETENTION
    ]


def test_whether_it_is_due_opens_no_manifest(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 8)
    maintain_due(quiet_cell, product, clock=at(15))
    table = events(quiet_cell)
    for manifest in table.metadata.snapshots[-1].manifests(table.io):
        warehouse.delete(quiet_cell, manifest.manifest_path)
    assert [one.step for one in plan_due_steps(quiet_cell, product, clock=at(22))] == [
        Step.RETENTION
    ]


def test_many_hours_are_some_commits_and_each_moves_the_bound(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    orders.append([(hour(n), "eu", 1) for n in range(60)])
    maintain(quiet_cell, product, clock=at(65))
    summaries = [one.summary for one in main_history(events(quiet_cell))]
    said = [
        RetentionAccount.from_json(one[RETENTION_PROPERTY] or "")
        for one in summaries
        if one is not None and RETENTION_PROPERTY in one.additional_properties
    ]
    assert [(one.before, one.rows) for one in reversed(said)] == [
        (hour(24), 24),
        (hour(48), 24),
        (hour(55), 7),
    ]
    assert _account(quiet_cell).rows == 55


def test_what_a_build_has_pinned_can_be_read_to_its_end(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 8)
    source = events(quiet_cell).metadata.current_snapshot_id or 0
    with pinned(quiet_cell, product, source, "run"):
        maintain(quiet_cell, product, EAGER, at(15))
        maintain(quiet_cell, product, EAGER, lambda: utc_now() + timedelta(days=1))
        assert events(quiet_cell).scan(snapshot_id=source).to_arrow().num_rows == 24
    orders.append([(hour(7), "eu", 1)])
    before = _data_files(quiet_cell)
    maintain(quiet_cell, kept(product, 10**6), EAGER, lambda: utc_now() + timedelta(days=1))
    assert events(quiet_cell).metadata.snapshot_by_id(source) is None
    assert len(_data_files(quiet_cell)) < len(before)


def test_an_hour_in_which_coordinates_stand_twice_stays_with_all_after_it(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 8)
    table = events(quiet_cell)
    table.append(pa.Table.from_pylist(orders.rows[7:8], schema=SCHEMA))
    with pytest.raises(RowsDoubledError, match="of hour 2026-01-01T02"):
        maintain(quiet_cell, product, EAGER, at(15))
    assert len(coordinates(quiet_cell)) == 25
    assert _account(quiet_cell) == RetentionAccount()


def _until(place: str, cell: Cell, product: Product) -> None:
    arm(place)
    maintain(cell, product, EAGER, at(65))


@pytest.mark.parametrize("visit", [1, 2])
@pytest.mark.parametrize("name", failpoints_of("retention"))
def test_killed_at_any_commit_the_next_one_does_the_rest(
    orders: Orders, quiet_cell: Cell, product: Product, name: str, visit: int
) -> None:
    orders.append([(hour(n), "eu", 1) for n in range(60)])
    killed = multiprocessing.get_context("forkserver").Process(
        target=_until, args=(f"{name}:{visit}", quiet_cell, product)
    )
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    account = _account(quiet_cell)
    first = 0 if account.before is None else round((account.before - hour(0)) / HOUR)
    assert first == 24 * (visit - 1 if name == "retention.before_commit" else visit)
    assert coordinates(quiet_cell) == expected(orders, first)
    assert account.rows == first
    maintain(quiet_cell, product, EAGER, at(65))
    assert coordinates(quiet_cell) == expected(orders, 55)
    assert (_account(quiet_cell).rows, _account(quiet_cell).before) == (55, hour(55))


def test_two_at_once_beside_compaction_count_every_row_once(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    for _ in range(3):
        fill(orders, 40, each=2)
    processes = multiprocessing.get_context("forkserver")
    beside = [processes.Process(target=_upkeep, args=(quiet_cell, product)) for _ in range(2)]
    for one in beside:
        one.start()
    for one in beside:
        one.join()
    assert [one.exitcode for one in beside] == [0, 0]
    maintain(quiet_cell, product, EAGER, at(45))
    assert coordinates(quiet_cell) == expected(orders, 35)
    assert _account(quiet_cell).rows == 3 * 35 * 2


def _upkeep(cell: Cell, product: Product) -> None:
    for number in (20, 30, 45):
        with suppress(RetryableError):
            maintain(cell, product, EAGER, at(number))


def test_beside_a_writer_nothing_is_lost_and_it_lands_once_the_writer_takes_a_breath(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 20)
    done = list[MaintenanceResult]()

    def upkeep() -> None:
        done.extend(maintain_tables(quiet_cell, product, RETAIN, EAGER, at(25)))

    beside = threading.Thread(target=upkeep)
    beside.start()
    without_pause = time.monotonic() + 2
    while beside.is_alive():
        with suppress(CommitConflictError):
            orders.append([(hour(21), "eu", 1), (hour(2), "us", 1)])
        if time.monotonic() > without_pause:
            time.sleep(1)
    beside.join()
    assert of_events(tuple(done)).hours_deleted == 15
    deleted = _account(quiet_cell).rows
    assert len(coordinates(quiet_cell)) + deleted == len(orders.rows)
    assert read_ledger(quiet_cell, product).balanced
    maintain(quiet_cell, product, EAGER, at(25))
    assert coordinates(quiet_cell) == expected(orders, 15)


STEPS = st.one_of(
    st.tuples(st.just("append"), st.integers(0, 40)),
    st.tuples(st.just("append"), st.integers(20, 30)),
    st.tuples(st.just("retention"), st.integers(10, 60)),
    st.tuples(st.just("maintain"), st.integers(10, 60)),
    st.tuples(st.just("kept"), st.integers(1, 30)),
)


@settings(max_examples=25)
@given(steps=st.lists(STEPS, min_size=3, max_size=14))
def test_in_any_order_each_row_is_there_or_in_the_account(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        cell = embedded_cell(Path(folder), "us", "127.0.0.1:9")
        orders, product = Orders(cell), kept(orders_product(Path(folder)))
        there: list[dict[str, object]] = []
        came = Counter[object]()
        bound: datetime | None = None
        for step, number in steps:
            if step == "append":
                before = len(orders.rows)
                orders.append(
                    [(hour(number), "eu", 1), (hour(number + 1), "us", 1)], None, number % 2
                )
                there += orders.rows[before:]
                came.update(row["_topic_partition"] for row in orders.rows[before:])
                continue
            if step == "kept":
                product = kept(product, number)
                continue
            due = RETAIN if step == "retention" else None
            list(maintain_tables(cell, product, due, EAGER, at(number)))
            horizon = hour(number - product.topic.retention.warm_ms // 3_600_000)
            going = [row for row in there if row["_event_time"] < horizon]  # type: ignore[operator]
            there = [row for row in there if row["_event_time"] >= horizon]  # type: ignore[operator]
            bound = bound if not going else horizon if bound is None else max(bound, horizon)
            left = Counter(partition for partition, _ in coordinates(cell))
            account = _account(cell)
            assert len(coordinates(cell)) == len(there)
            assert account.before == bound
            assert {p: account.rows_of(p) for p in (0, 1)} == {p: came[p] - left[p] for p in (0, 1)}
            assert read_ledger(cell, product).balanced


def _account(cell: Cell) -> RetentionAccount:
    return retention_account(events(cell))


def _data_files(cell: Cell) -> set[str]:
    return warehouse.files(cell, f"{events(cell).location()}/data", ".parquet")
