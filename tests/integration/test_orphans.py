"""Orphan files: what killed writers left goes, and nothing that anybody can read or commit."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.ingest.run import ingest
from pipeline.ledger.read import read_ledger
from pipeline.maintenance.execute import MaintenanceResult
from pipeline.maintenance.need import DueStep, Step
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain, maintain_tables, plan_maintenance
from pipeline.maintenance.sweep import OrphansUnsureError, sweep
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.commit import CommitConflictError, write_files
from tests.support.apart import kill_at
from tests.support.attempts import start
from tests.support.judge import judge
from tests.support.load import TopicWriter
from tests.support.orders import SCHEMA, Orders, hour

AGE = timedelta(seconds=3)
EAGER = MaintenancePolicy(
    retain=timedelta(seconds=1),
    retain_commits=timedelta(0),
    retain_last=1,
    min_files=2,
    min_manifests=2,
    orphan_age=AGE,
)


def tomorrow() -> datetime:
    return utc_now() + timedelta(days=1)


def folder(table: Table) -> Path:
    return Path(table.location().removeprefix("file://"))


def files_of(table: Table) -> set[Path]:
    return {path for path in folder(table).rglob("*") if path.is_file()}


def killed_writer(orders: Orders, table: Table) -> set[Path]:
    """Leave what a writer leaves that is killed before its commit; return its files."""
    before = files_of(table)
    write_files(table, pa.Table.from_pylist(orders.rows[:1], schema=SCHEMA))
    for name in ("snap-1-0-dead.avro", "dead-m0.avro", "00999-dead.metadata.json"):
        (folder(table) / "metadata" / name).write_text("half written")
    return files_of(table) - before


@pytest.fixture
def events(orders: Orders, quiet_cell: Cell) -> Table:
    for number in range(4):
        orders.append([(hour(number % 2), "eu", number)])
    return load_table(quiet_cell, "orders.events")


def test_what_a_killed_writer_left_goes_once_no_run_can_be_so_old(
    orders: Orders, events: Table
) -> None:
    alive, left = files_of(events), killed_writer(orders, events)
    assert len(left) == 4
    assert sweep(events, utc_now(), MaintenancePolicy()).orphans == ()
    swept = sweep(events, tomorrow(), MaintenancePolicy())
    assert {Path(file.path) for file in swept.orphans} == left
    assert files_of(events) == alive
    assert events.refresh().scan().to_arrow().num_rows == 4


def test_a_plan_says_how_much_and_deletes_nothing(
    orders: Orders, events: Table, quiet_cell: Cell, product: Product
) -> None:
    left = killed_writer(orders, events)
    planned = plan_maintenance(quiet_cell, product, clock=tomorrow)
    assert [(one.table, one.orphans) for one in planned if one.orphans] == [("orders.events", 4)]
    assert planned[0].orphan_bytes == sum(path.stat().st_size for path in left)
    assert left <= files_of(events)


def test_nothing_is_deleted_where_a_file_that_is_named_is_missing(
    orders: Orders, events: Table
) -> None:
    left = killed_writer(orders, events)
    named = next(iter(events.scan().plan_files())).file.file_path
    Path(named.removeprefix("file://")).unlink()
    with pytest.raises(OrphansUnsureError, match="not in its folder"):
        sweep(events, tomorrow(), MaintenancePolicy())
    assert left <= files_of(events)


def test_a_table_made_over_a_lost_one_deletes_nothing_of_it(
    events: Table, quiet_cell: Cell
) -> None:
    before = files_of(events)
    catalog = open_catalog(quiet_cell)
    catalog.drop_table("orders.events")
    again = catalog.create_table("orders.events", SCHEMA, location=events.location())
    with pytest.raises(OrphansUnsureError, match="another table"):
        sweep(again, tomorrow(), MaintenancePolicy())
    assert before <= files_of(again)


@pytest.mark.parametrize("place", ["maintenance.before_delete:1", "maintenance.before_orphan:2"])
def test_maintenance_that_is_killed_loses_nothing_and_the_next_one_does_the_rest(
    orders: Orders, events: Table, quiet_cell: Cell, product: Product, place: str
) -> None:
    left = killed_writer(orders, events)
    rows = events.scan().to_arrow()
    kill_at(place, quiet_cell.root, partial(maintain, quiet_cell, product, EAGER, tomorrow))
    assert left & files_of(events)
    found = load_table(quiet_cell, "orders.events").scan().to_arrow()
    assert found.sort_by("_offset") == rows.sort_by("_offset")
    assert read_ledger(quiet_cell, product).balanced
    maintain(quiet_cell, product, EAGER, tomorrow)
    table = load_table(quiet_cell, "orders.events")
    assert not left & files_of(table)
    assert sweep(table, tomorrow(), EAGER).orphans == ()
    assert table.scan().to_arrow().sort_by("_offset") == rows.sort_by("_offset")


def test_beside_a_writer_that_commits_as_fast_as_it_can_nothing_alive_goes(
    orders: Orders, events: Table, quiet_cell: Cell, product: Product
) -> None:
    left = killed_writer(orders, events)
    for path in left:
        os.utime(path, (time.time() - 60, time.time() - 60))
    stop, done = threading.Event(), list[MaintenanceResult]()

    # Not compaction, which a writer without a pause beats every time.
    due = [DueStep("orders.events", step, "") for step in (Step.EXPIRE, Step.SWEEP)]

    def upkeep() -> None:
        while not stop.is_set():
            with suppress(RetryableError):
                done.extend(maintain_tables(quiet_cell, product, due, EAGER))

    beside = threading.Thread(target=upkeep)
    beside.start()
    try:
        until = time.monotonic() + 5
        while time.monotonic() < until or (
            sum(one.snapshots for one in done) <= 30 and time.monotonic() < until + 60
        ):
            # Overtaken by maintenance, it leaves files behind as one that was killed does.
            with suppress(CommitConflictError):
                orders.append([(hour(1), "eu", 1), (hour(2), "us", 1)])
    finally:
        stop.set()
        beside.join()
    table = load_table(quiet_cell, "orders.events")
    assert table.scan().to_arrow().num_rows == len(orders.rows)
    assert read_ledger(quiet_cell, product).balanced
    assert len(done) > 3
    assert not left & files_of(table)
    assert sum(one.snapshots for one in done) > 30
    compacted = next(one for one in maintain(quiet_cell, product, EAGER) if one.files)
    assert compacted.table == "orders.events"
    assert table.refresh().scan().to_arrow().num_rows == len(orders.rows)


def test_files_of_an_ingest_killed_before_its_commit_go_and_no_record_is_lost(
    cell: Cell, strict_product: Product
) -> None:
    writer = TopicWriter(cell, strict_product, seed=5)
    writer.fill(200, duplicate_every=20, poison_every=30)
    ingest(cell, strict_product, once=True)
    table = load_table(cell, f"{strict_product.name}.events")
    alive = files_of(table)
    writer.fill(200, duplicate_every=20, poison_every=30)
    killed = start(cell, strict_product, failpoint="ingest.before_event_commit")
    assert killed.wait() < 0
    left = files_of(table) - alive
    assert any(path.suffix == ".parquet" for path in left)
    maintain(cell, strict_product, clock=tomorrow)
    assert not {path for path in left if path.suffix == ".parquet"} & files_of(table)
    ingest(cell, strict_product, once=True)
    assert judge(cell, strict_product).exact
