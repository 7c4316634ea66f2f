"""The table of changes: every commit of every table, once, whatever becomes of its snapshot."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ledger.archive import archive_entries
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.table_changes.archive import archive_changes
from pipeline.table_changes.before_expiry import kept_elsewhere
from pipeline.table_changes.kept import read_changes
from pipeline.tables.catalog import load_table, open_catalog
from tests.support.apart import kill_at
from tests.support.lineage_whole import every_change
from tests.support.orders import Orders, hour

EAGER = MaintenancePolicy(
    retain=timedelta(0),
    retain_last=1,
    retain_commits=timedelta(0),
    min_files=2,
    min_manifests=2,
)
EVENTS = "orders.events"
Said = tuple[int, int, int, int]


def told(cell: Cell) -> list[Said]:
    """What ingest's commits took in: (snapshot, partition, first offset, last offset)."""
    return sorted(
        (row["snapshot_id"], row["partition"], row["first_offset"], row["last_offset"])
        for row in every_change(cell, "orders")
        if row["job"] == "ingest"
    )


def fill(orders: Orders, commits: int) -> list[Said]:
    """Commit orders; return what `told` is to tell of them."""
    said = []
    for number in range(commits):
        start, rows = orders.next[0], 1 + number % 2
        snapshot_id = orders.append([(hour(number % 4), "eu", 1)] * rows)
        said.append((snapshot_id, 0, start, start + rows - 1))
    return said


@pytest.mark.parametrize("seed", range(2))
def test_every_commit_is_told_once_whatever_becomes_of_its_snapshot(
    orders: Orders, quiet_cell: Cell, product: Product, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    said: list[Said] = []
    for _ in range(6):
        said += fill(orders, chosen.randrange(1, 6))
        if chosen.random() < 0.5:
            kept_elsewhere(quiet_cell, product, EVENTS)
        if chosen.random() < 0.6:
            maintain(quiet_cell, product, EAGER)
        assert told(quiet_cell) == sorted(said)
    retained = {one.snapshot_id for one in load_table(quiet_cell, EVENTS).metadata.snapshots}
    assert {snapshot_id for snapshot_id, *_ in said} - retained
    compacted = [row for row in every_change(quiet_cell, "orders") if row["job"] == "compact"]
    assert compacted
    assert all(row["added_rows"] == row["deleted_rows"] for row in compacted)


def test_a_commit_says_what_it_came_from(orders: Orders, quiet_cell: Cell) -> None:
    orders.append([(hour(0), "eu", 1)] * 3, gaps={1: 2})
    first, second = sorted(
        every_change(quiet_cell, "orders"), key=lambda row: int(row["partition"])
    )
    assert first["lineage"] == [
        {
            "source": "orders",
            "topic_id": "topic-1",
            "partition": 0,
            "first_offset": 0,
            "last_offset": 2,
            "snapshot_id": None,
        }
    ]
    assert (first["rows"], first["added_rows"], first["offset"]) == (3, 3, 2)
    assert (second["compacted"], second["rows"], second["offset"]) == (2, 0, 1)
    assert (first["run_id"], first["contract_version"], first["job"]) == ("test", "1.2.0", "ingest")


def test_what_main_was_rolled_back_from_is_told(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    ((before, *_),) = fill(orders, 1)
    ((rolled_back, *_),) = fill(orders, 1)
    table = load_table(quiet_cell, EVENTS)
    table.manage_snapshots().rollback_to_snapshot(before).commit()
    archive_changes(quiet_cell, EVENTS)
    assert rolled_back in {row["snapshot_id"] for row in every_change(quiet_cell, "orders")}


def test_a_commit_of_somebody_elses_has_no_job(orders: Orders, quiet_cell: Cell) -> None:
    fill(orders, 1)
    table = load_table(quiet_cell, EVENTS)
    table.append(table.scan().to_arrow())
    (theirs,) = (row for row in every_change(quiet_cell, "orders") if row["job"] is None)
    assert (theirs["operation"], theirs["added_rows"], theirs["lineage"]) == ("append", 1, [])


def test_commits_that_expired_before_are_taken_from_the_ledger(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    said = fill(orders, 4)
    archive_entries(quiet_cell, product)
    table = load_table(quiet_cell, EVENTS)
    with table.maintenance.expire_snapshots() as expiry:
        expiry.by_ids([snapshot_id for snapshot_id, *_ in said[:3]])
    assert len(told(quiet_cell)) == 1
    archive_changes(quiet_cell, EVENTS)
    assert told(quiet_cell) == sorted(said)


def test_several_keep_at_once_and_each_change_is_kept_once(
    orders: Orders, quiet_cell: Cell
) -> None:
    said = fill(orders, 6)
    with ThreadPoolExecutor(4) as pool:
        through = set(pool.map(lambda _: archive_changes(quiet_cell, EVENTS), range(8)))
    assert through == {6}
    assert told(quiet_cell) == sorted(said)


@pytest.mark.parametrize("place", ["before", "after"])
def test_who_is_killed_keeping_changes_leaves_all_or_nothing(
    orders: Orders, quiet_cell: Cell, place: str
) -> None:
    said = fill(orders, 3)
    failpoint = f"table_changes.{place}_archive_commit"
    kill_at(failpoint, quiet_cell.root, partial(archive_changes, quiet_cell, EVENTS))
    found = read_changes(open_catalog(quiet_cell), "orders")
    assert found.kept is not None
    assert len(found.fresh) == (3 if place == "before" else 0)
    archive_changes(quiet_cell, EVENTS)
    assert told(quiet_cell) == sorted(said)
