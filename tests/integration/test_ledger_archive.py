"""The ledger table and its closed balance: what is read of them, and what a killed writer leaves."""

from __future__ import annotations

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ledger.archive import archive_entries
from pipeline.ledger.archived import ARCHIVED_PROPERTY, Archive
from pipeline.ledger.balance import BALANCE_PROPERTY
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.model import ledger_summary
from pipeline.ledger.read import ledger_of, read_ledger
from pipeline.maintenance.compact import compact
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.create import PROPERTIES
from pipeline.tables.layout import LEDGER_SCHEMA
from tests.support.apart import kill_at
from tests.support.orders import Orders, hour

EAGER = MaintenancePolicy(retain=timedelta(0), retain_last=1, min_files=2, min_manifests=2)
TABLE = "orders.ledger"


def fill(orders: Orders, commits: int, partition: int = 0) -> None:
    for number in range(commits):
        gaps = {1 - partition: number % 3} if number % 3 else None
        orders.append([(hour(number % 4), "eu", 1)] * (1 + number % 2), gaps, partition)


def ledger_table(cell: Cell) -> Table:
    return load_table(cell, TABLE)


def recounted(cell: Cell) -> Ledger:
    """The ledger with every entry added up anew."""
    return ledger_of(load_table(cell, "orders.events"), cell, "orders")


def files_of(table: Table) -> Iterable[Path]:
    return (Path(task.file.file_path.removeprefix("file://")) for task in table.scan().plan_files())


@pytest.mark.parametrize("seed", range(3))
def test_the_plain_ledger_is_the_recounted_one_at_every_moment(
    orders: Orders, quiet_cell: Cell, product: Product, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for _ in range(8):
        fill(orders, chosen.randrange(1, 5), partition=chosen.randrange(2))
        if chosen.random() < 0.6:
            archive_entries(quiet_cell, product)
        if chosen.random() < 0.4:
            maintain(quiet_cell, product, EAGER)
        plain, every = read_ledger(quiet_cell, product), recounted(quiet_cell)
        assert plain.balanced
        assert every.balanced
        assert plain.totals == every.totals
        assert plain.totals.rows == len(orders.rows)
        assert plain.by_partition() == every.by_partition()
        assert plain.by_partition_and_hour() == every.by_partition_and_hour()
        assert sum(one.rows for one in plain.by_hour().values()) == len(orders.rows)
        assert not every.balance.entries


def test_what_is_closed_is_not_read_again(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 6)
    archive_entries(quiet_cell, product)
    fill(orders, 1)
    before = read_ledger(quiet_cell, product)
    assert len(before.lines) == 1
    for path in files_of(ledger_table(quiet_cell)):
        path.unlink()
    assert replace(before, hours={}) == read_ledger(quiet_cell, product, last=0)
    # The next archiving reads no entry that is closed, either.
    archive_entries(quiet_cell, product)
    after = read_ledger(quiet_cell, product, last=0)
    assert (after.totals, after.lines) == (before.totals, ())


def test_a_table_of_an_older_format_is_read_and_closed_by_the_next_archiving(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 5)
    archive_entries(quiet_cell, product)
    rows = ledger_table(quiet_cell).scan().to_arrow()
    through = ledger_table(quiet_cell).properties[ARCHIVED_PROPERTY]
    _replace_by_older(quiet_cell, rows, through)
    fill(orders, 2)
    older = read_ledger(quiet_cell, product)
    assert older.balanced
    assert older.balance.entries == ()
    assert older.totals == recounted(quiet_cell).totals
    archive_entries(quiet_cell, product)
    compact(ledger_table(quiet_cell), EAGER)
    closed = read_ledger(quiet_cell, product)
    assert closed.balanced
    assert closed.lines == ()
    assert closed.totals == older.totals
    assert closed.by_hour() == older.by_hour()
    assert recounted(quiet_cell).balanced


def test_a_table_of_an_older_format_is_closed_without_a_new_commit_too(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 3)
    archive_entries(quiet_cell, product)
    table = ledger_table(quiet_cell)
    _replace_by_older(quiet_cell, table.scan().to_arrow(), table.properties[ARCHIVED_PROPERTY])
    archive_entries(quiet_cell, product)
    snapshots = len(ledger_table(quiet_cell).metadata.snapshots)
    assert read_ledger(quiet_cell, product).lines == ()
    archive_entries(quiet_cell, product)
    assert len(ledger_table(quiet_cell).metadata.snapshots) == snapshots


def test_an_entry_that_is_missing_is_never_closed(
    orders: Orders, quiet_cell: Cell, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(orders, 3)
    archive_entries(quiet_cell, product)
    closed = Archive.load(quiet_cell, "orders").balance
    with monkeypatch.context() as silent:
        silent.setattr("tests.support.orders.ledger_summary", lambda _: ledger_summary(()))
        fill(orders, 1)
    fill(orders, 2)
    before = read_ledger(quiet_cell, product)
    for _ in range(2):
        archive_entries(quiet_cell, product)
        now = read_ledger(quiet_cell, product)
        assert not now.balanced
        assert (now.problems, now.unexplained) == (before.problems, before.unexplained)
        assert now.problems == recounted(quiet_cell).problems
        assert now.balance.entries[0].end <= before.lines[0].entry.start
    assert Archive.load(quiet_cell, "orders").balance.through == closed.through


def test_several_archive_at_once_and_each_entry_is_kept_and_closed_once(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 8)
    with ThreadPoolExecutor(4) as pool:
        through = set(pool.map(lambda _: archive_entries(quiet_cell, product), range(8)))
    assert through == {8}
    assert read_ledger(quiet_cell, product).totals.rows == len(orders.rows)
    assert recounted(quiet_cell).balanced


@pytest.mark.parametrize("place", ["ledger.before_archive_commit", "ledger.after_archive_commit"])
def test_an_archiver_that_is_killed_leaves_all_or_nothing(
    orders: Orders, quiet_cell: Cell, product: Product, place: str
) -> None:
    fill(orders, 4)
    archive_entries(quiet_cell, product)
    fill(orders, 2)
    kill_at(place, quiet_cell.root, partial(archive_entries, quiet_cell, product))
    landed = place == "ledger.after_archive_commit"
    assert Archive.load(quiet_cell, "orders").through == (6 if landed else 4)
    assert read_ledger(quiet_cell, product).totals.rows == len(orders.rows)
    assert archive_entries(quiet_cell, product) == 6
    assert recounted(quiet_cell).balanced


def test_a_balance_that_its_entries_do_not_make_is_found_by_the_recount(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 4)
    archive_entries(quiet_cell, product)
    table = ledger_table(quiet_cell)
    altered = table.properties[BALANCE_PROPERTY].replace('"lost":0', '"lost":1', 1)
    with table.transaction() as transaction:
        transaction.set_properties({BALANCE_PROPERTY: altered})
    (problem, *_) = recounted(quiet_cell).problems
    assert "partition 0: the closed balance is not the sum of the entries" in problem


def test_a_ledger_table_that_was_rolled_back_does_not_balance(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 2)
    archive_entries(quiet_cell, product)
    old = ledger_table(quiet_cell).metadata.current_snapshot_id
    fill(orders, 2)
    archive_entries(quiet_cell, product)
    assert old is not None
    ledger_table(quiet_cell).manage_snapshots().rollback_to_snapshot(old).commit()
    found = read_ledger(quiet_cell, product)
    assert not found.balanced
    assert "rolled back" in found.problems[0]


def test_files_of_older_days_are_not_opened_for_the_last_hours(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 3)
    archive_entries(quiet_cell, product)
    aged = ledger_table(quiet_cell)
    rows = aged.scan().to_arrow()
    earlier = pc.subtract(rows["committed_at"], pa.scalar(timedelta(days=9)))
    at = rows.schema.get_field_index("committed_at")
    aged.append(
        rows.set_column(at, rows.schema.field(at), earlier.cast(rows.schema.field(at).type))
    )
    old = f"committed_at < '{(_newest(rows) - timedelta(days=5)).isoformat()}'"
    for task in aged.scan(old).plan_files():
        Path(task.file.file_path.removeprefix("file://")).unlink()
    assert sum(one.rows for one in read_ledger(quiet_cell, product).by_hour().values()) == 4


def _newest(rows: pa.Table) -> datetime:
    newest = pc.max(rows["committed_at"]).as_py()
    assert isinstance(newest, datetime)
    return newest


def _replace_by_older(cell: Cell, rows: pa.Table, through: str) -> None:
    """Make the ledger table what format 3 had: one partition for all, and no closed balance."""
    catalog = open_catalog(cell)
    catalog.drop_table(TABLE)
    table = catalog.create_table(TABLE, LEDGER_SCHEMA, properties=PROPERTIES)
    table.append(rows.cast(LEDGER_SCHEMA))
    with table.transaction() as transaction:
        transaction.set_properties({ARCHIVED_PROPERTY: through})
