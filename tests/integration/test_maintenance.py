"""Maintenance: fewer files and snapshots, the same rows, offsets and ledger."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.ledger.archive import archive_entries
from pipeline.ledger.archived import Archive
from pipeline.ledger.read import read_ledger
from pipeline.lineage.files import lineage_folder
from pipeline.maintenance.compact import compact
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain, plan_maintenance
from pipeline.tables.catalog import load_table
from pipeline.tables.data_files.rewrite import MAINTENANCE_KEY, RewriteConflictError, rewrite
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import check_not_rolled_back, main_history
from tests.support import warehouse
from tests.support.catalog_seam import CatalogSeam
from tests.support.catalogs import EVERYWHERE
from tests.support.judge import judge
from tests.support.load import TopicWriter
from tests.support.orders import Orders, hour

EAGER = MaintenancePolicy(retain=timedelta(0), retain_last=1, min_files=2, min_manifests=2)


@pytest.fixture
def writer(cell: Cell, strict_product: Product) -> TopicWriter:
    return TopicWriter(cell, strict_product, seed=11)


def rows(cell: Cell, product: Product) -> pl.DataFrame:
    table = load_table(cell, events_table(product.name))
    frame = pl.from_arrow(table.scan().to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.sort("_topic_partition", "_offset")


def at(number: int, minute: int) -> datetime:
    return hour(number) + timedelta(minutes=minute)


def fill(orders: Orders, commits: int) -> None:
    for number in range(commits):
        orders.append([(at(number % 3, number), "eu", number), (at(0, 59 - number), "us", 1)])


def test_rows_offsets_and_books_are_what_they_were(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 12)
    before, offsets = rows(quiet_cell, product), committed_offsets(_events(quiet_cell))
    done = {one.table: one for one in maintain(quiet_cell, product, EAGER)}["orders.events"]
    assert (done.files, done.into) == (24, 3)
    assert done.snapshots == done.deleted == 11
    table = _events(quiet_cell)
    assert rows(quiet_cell, product).equals(before)
    assert committed_offsets(table) == offsets
    check_not_rolled_back(table)
    assert read_ledger(quiet_cell, product).balanced
    assert read_ledger(quiet_cell, product).totals.rows == 24


def test_files_that_no_snapshot_needs_are_deleted(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 12)
    maintain(quiet_cell, product, EAGER)
    # The snapshot that the offsets name keeps its files until the next commit names another.
    orders.append([(at(0, 1), "eu", 1)])
    maintain(quiet_cell, product, EAGER)
    table = _events(quiet_cell)
    needed = {
        warehouse.path_of(entry.data_file.file_path)
        for snapshot in table.metadata.snapshots
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io)
    }
    assert warehouse.files(quiet_cell, f"{table.location()}/data", ".parquet") == needed
    assert len(needed) < 10


def test_what_changes_no_row_is_not_called_an_append(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 6)
    maintain(quiet_cell, product, EAGER)
    newest = next(main_history(_events(quiet_cell)))
    assert newest.summary is not None
    assert newest.summary.operation.value == "replace"
    assert newest.summary[MAINTENANCE_KEY] == "compact"


def test_compacted_files_are_sorted_and_other_readers_skip_by_their_bounds(
    orders: Orders, quiet_cell: Cell, product: Product, tmp_path: Path
) -> None:
    fill(orders, 12)
    maintain(quiet_cell, product, EAGER)
    files = [task.file for task in _events(quiet_cell).scan().plan_files()]
    assert len(files) == 3
    for file in files:
        copy = tmp_path / Path(file.file_path).name
        copy.write_bytes(warehouse.read(quiet_cell, file.file_path))
        read = duckdb.execute("SELECT _event_time FROM read_parquet(?)", [str(copy)]).fetchall()
        times = [row[0] for row in read]
        assert times == sorted(times)
    narrow = _events(quiet_cell).scan(
        row_filter=f"_event_time >= '{at(1, 0).isoformat()}' and _event_time < '{at(2, 0).isoformat()}'"
    )
    assert len(list(narrow.plan_files())) == 1


def test_a_second_maintenance_finds_nothing_to_do(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 6)
    maintain(quiet_cell, product, EAGER)
    maintain(quiet_cell, product, EAGER)
    planned = {one.table: one for one in plan_maintenance(quiet_cell, product, EAGER)}
    assert planned["orders.events"].rewritings == ()
    again = {one.table: one for one in maintain(quiet_cell, product, EAGER)}
    assert again["orders.events"].files == 0


def test_entries_are_kept_once_however_often(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 4)
    assert archive_entries(quiet_cell, product) == archive_entries(quiet_cell, product)
    fill(orders, 2)
    archive_entries(quiet_cell, product)
    assert len(Archive.load(quiet_cell, product.name).lines(after=0)) == 6
    assert read_ledger(quiet_cell, product).balanced


def test_lineage_goes_ninety_days_after_the_last_event_of_its_run(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    written = [lineage_folder(quiet_cell) / f"{name}.jsonl" for name in ("old", "young")]
    written[0].parent.mkdir()
    for file, days in zip(written, (91, 89), strict=True):
        file.write_text("{}\n")
        then = (utc_now() - timedelta(days=days)).timestamp()
        os.utime(file, (then, then))
    maintain(quiet_cell, product)
    assert [file.exists() for file in written] == [False, True]


def test_files_that_somebody_else_replaced_are_left_alone(
    orders: Orders, quiet_cell: Cell, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(orders, 6)
    before, replaced = rows(quiet_cell, product), "pipeline.maintenance.compact.rewrite"

    def beaten(*args: Any) -> int:
        monkeypatch.setattr(replaced, rewrite)
        compact(_events(quiet_cell), EAGER)
        return rewrite(*args)

    monkeypatch.setattr(replaced, beaten)
    with pytest.raises(RewriteConflictError):
        maintain(quiet_cell, product, EAGER)
    assert rows(quiet_cell, product).equals(before)


def test_files_are_replaced_however_others_commit_meanwhile(
    orders: Orders, quiet_cell: Cell, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(orders, 6)
    before, seam = rows(quiet_cell, product), CatalogSeam(monkeypatch)

    def others_commit() -> None:
        orders.append([(at(5, 0), "eu", 1)])

    for number in range(1, 7):
        seam.before(number, others_commit)
    assert compact(_events(quiet_cell), EAGER).files == 12
    assert seam.commits == 6 + 3
    after = rows(quiet_cell, product)
    assert after.height == before.height + 6
    assert after.join(before, on=["_topic_partition", "_offset"], how="semi").equals(before)


@pytest.mark.parametrize("cell", EVERYWHERE, indirect=True)
def test_maintenance_beside_ingest_loses_and_doubles_nothing(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    stop, rounds = threading.Event(), []

    def upkeep() -> None:
        while not stop.is_set():
            try:
                rounds.append(maintain(cell, strict_product, EAGER))
            except RewriteConflictError:
                continue

    beside = threading.Thread(target=upkeep)
    writer.fill(600, duplicate_every=20, poison_every=30)
    ingest(cell, strict_product, once=True, limits=Limits(max_records=50))
    beside.start()
    try:
        for _ in range(4):
            writer.fill(300, duplicate_every=20, poison_every=30)
            ingest(cell, strict_product, once=True, limits=Limits(max_records=60))
    finally:
        stop.set()
        beside.join()
    assert any(done.files for round_ in rounds for done in round_)
    assert judge(cell, strict_product).exact
    assert read_ledger(cell, strict_product).balanced


def _events(cell: Cell) -> Table:
    return load_table(cell, "orders.events")
