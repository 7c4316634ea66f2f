"""Upkeep by itself: an ingest's own commits, derived tables and their histories, and who reads beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.model import Source
from pipeline.batch.pin import pinned
from pipeline.batch.wap.publish import publish
from pipeline.batch.wap.stage import stage
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.contract.model import DerivedTable, Feature, Product
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.ledger.read import read_ledger
from pipeline.maintenance.expire import expire
from pipeline.maintenance.run import maintain, maintain_due, plan_due_steps
from pipeline.maintenance.sweep import sweep
from pipeline.maintenance.trim import Trimmer
from pipeline.spark.session import own_session
from pipeline.spark.tables import rows_at
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import write_files
from pipeline.tables.data_files.rewrite import rewrite
from pipeline.tables.snapshots import check_not_rolled_back
from tests.support import warehouse
from tests.support.hour_builds import build, hour_context
from tests.support.judge import judge
from tests.support.load import TopicWriter
from tests.support.orders import SCHEMA, SQL, Orders, derived, hour, orders_product, sales
from tests.support.products import own_product
from tests.support.upkeep import EAGER as _EAGER

EVENTS = "orders.events"
NOTHING = timedelta(0)
EAGER = replace(
    _EAGER,
    retain=NOTHING,
    retain_commits=NOTHING,
    retain_staged=NOTHING,
    retain_last=1,
    min_manifests=2,
)


class Accepted:
    passed, met, reasons, results = True, 2, (), ()


def accept(_frame: DataFrame) -> Accepted:
    return Accepted()


@pytest.fixture
def product(tmp_path: Path) -> Product:
    liked = Feature(entity=("region",), ttl_s=86_400, partitions=("region",))
    return orders_product(tmp_path, sales(), derived("liking", SQL, feature=liked))


def fill(orders: Orders, commits: int) -> int:
    return [orders.append([(hour(n % 3), "eu", n)]) for n in range(commits)][-1]


def snapshots(cell: Cell, table: str = EVENTS) -> int:
    return len(load_table(cell, table).metadata.snapshots)


def test_commits_whose_rows_later_ones_have_go_and_nothing_else_changes(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 40)
    files = {task.file.file_path for task in load_table(quiet_cell, EVENTS).scan().plan_files()}
    assert Trimmer(quiet_cell, product, policy=EAGER).trim() == 39
    table = load_table(quiet_cell, EVENTS)
    assert {task.file.file_path for task in table.scan().plan_files()} == files
    metadata = warehouse.files(quiet_cell, f"{table.location()}/metadata", ".avro")
    assert len([path for path in metadata if "/snap-" in path]) == 1
    check_not_rolled_back(table)
    assert read_ledger(quiet_cell, product).totals.rows == 40
    assert read_ledger(quiet_cell, product).balanced


def test_young_commits_can_be_named_and_few_are_not_worth_a_commit(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 30)
    soon = Trimmer(quiet_cell, product, lambda: utc_now() + timedelta(minutes=4))
    assert soon.trim() == 0
    assert Trimmer(quiet_cell, product, policy=replace(EAGER, retain_last=20)).trim() == 0
    assert snapshots(quiet_cell) == 30
    table = load_table(quiet_cell, EVENTS)
    oldest = table.metadata.snapshots[0].snapshot_id
    assert table.scan(snapshot_id=oldest).to_arrow().num_rows == 1


def test_tables_without_a_snapshot_are_left_alone(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    assert Trimmer(quiet_cell, product, policy=EAGER).trim() == 0
    assert [one.snapshots_left for one in maintain(quiet_cell, product, EAGER)] == [0, 0]


def test_what_is_due_is_done_once(orders: Orders, quiet_cell: Cell, product: Product) -> None:
    fill(orders, 30)
    policy = replace(EAGER, due_files=20, due_snapshots=20, due_commits=20)
    steps = {(one.table, one.step.value) for one in plan_due_steps(quiet_cell, product, policy)}
    assert {(EVENTS, "compact"), (EVENTS, "expire"), (EVENTS, "sweep")} <= steps
    done = {one.table: one for one in maintain_due(quiet_cell, product, policy)}[EVENTS]
    assert (done.files_before, done.files_after, done.files, done.into) == (30, 3, 30, 3)
    assert done.bytes_after < done.bytes_before
    assert done.snapshots_left == 4
    again = maintain_due(quiet_cell, product, policy)
    assert EVENTS not in {one.table for one in again}
    assert maintain_due(quiet_cell, product, policy) == ()


def test_an_ingest_trims_between_its_batches(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = own_product("strict_events", tmp_path / "contracts")
    monkeypatch.setattr("pipeline.maintenance.trim.EVERY", NOTHING)
    monkeypatch.setattr("pipeline.ingest.run.Trimmer", partial(Trimmer, policy=EAGER))
    TopicWriter(cell, product, seed=3).fill(400, duplicate_every=20, poison_every=30)
    report = ingest(cell, product, once=True, limits=Limits(max_records=20))
    assert report.commits >= 20
    assert snapshots(cell, "strict_events.events") < 20
    assert snapshots(cell, "strict_events.dead_letters") < 20
    assert judge(cell, product).exact


def test_what_a_build_reads_is_kept_until_it_ends(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    fill(orders, 20)
    source = fill(orders, 1)
    with pinned(quiet_cell, product, source, "run"):
        fill(orders, 20)
        maintain(quiet_cell, product, EAGER)
        rows = load_table(quiet_cell, EVENTS).scan(snapshot_id=source).to_arrow()
        assert rows.num_rows == 21
    maintain(quiet_cell, product, EAGER)
    assert load_table(quiet_cell, EVENTS).metadata.snapshot_by_id(source) is None


def test_a_build_that_was_killed_keeps_nothing_for_ever(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    source = fill(orders, 20)
    held = pinned(quiet_cell, product, source, "killed")
    held.__enter__()
    fill(orders, 5)
    later = partial(lambda days: utc_now() + timedelta(days=days), 3)
    due = plan_due_steps(quiet_cell, product, clock=later)
    assert "1 tags are outdated" in {one.reason for one in due}
    maintain(quiet_cell, product, EAGER, later)
    assert load_table(quiet_cell, EVENTS).metadata.snapshot_by_id(source) is None


def test_a_file_that_a_staging_has_stays_when_what_was_published_of_it_goes(
    orders: Orders, quiet_cell: Cell
) -> None:
    fill(orders, 2)
    table = load_table(quiet_cell, EVENTS)
    rows = pa.Table.from_pylist(orders.rows[:1], schema=SCHEMA)
    (file,), (other,) = write_files(table, rows), write_files(table, rows)
    table.manage_snapshots().create_branch(table.metadata.snapshots[-1].snapshot_id, "b").commit()
    _append(table, file, "b", {"wap.id": "staged"})
    published = _append(table, file, "main", {})
    tasks = table.refresh().scan().plan_files()
    old = [task.file for task in tasks if task.file.file_path == file.file_path]
    rewrite(table, old, [other], 1 << 30)
    assert expire(table, [published]) > 0
    table = table.refresh()
    assert table.metadata.snapshot_by_id(published) is None
    staged = table.scan(snapshot_id=table.metadata.refs["b"].snapshot_id)
    assert staged.to_arrow().num_rows == table.scan().to_arrow().num_rows == 3
    assert sweep(table, utc_now() + timedelta(days=1), EAGER).missing == ()


def _append(table: Table, file: DataFile, branch: str, summary: dict[str, str]) -> int:
    transaction = table.transaction()
    update = transaction.update_snapshot(snapshot_properties=summary, branch=branch)
    with update.fast_append() as append:
        append.append_data_file(file)
        made = append.snapshot_id
    transaction.commit_transaction()
    return made


def test_derived_tables_and_histories_are_maintained_beside_a_staging(
    spark: SparkSession, orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    plain, feature = product.derived_tables

    def context(table: DerivedTable, number: int, source: int):  # type: ignore[no-untyped-def]
        origin = Source(source, orders.count(hour(number)))
        return hour_context(spark, quiet_cell, product, table, hour(number), origin)

    source = fill(orders, 6)
    for _ in range(2):
        for number in range(2):
            build(context(plain, number, source), accept)
            build(context(feature, number, source), accept)
    staged = stage(context(plain, 2, source))
    tables = ("orders.sales", "orders.liking_history", "orders.liking")
    before = {name: _rows(quiet_cell, name) for name in tables}
    held = snapshots(quiet_cell, "orders.sales")
    # Stagings that outlive what was published of them keep their files: the sweep would say so.
    maintain(quiet_cell, product, replace(EAGER, retain_staged=timedelta(days=1)))
    done = {one.table: one for one in maintain(quiet_cell, product, EAGER)}
    assert set(tables) <= set(done)
    assert {name: _rows(quiet_cell, name) for name in tables} == before
    # The staging, main as it was staged on, and what came after that.
    assert done["orders.sales"].snapshots_left == 3 < held
    session = own_session(spark, quiet_cell)
    Trimmer(quiet_cell, product, lambda: utc_now() + timedelta(minutes=4)).trim()
    assert rows_at(session, quiet_cell, EVENTS, source).count() == 6
    for name in tables:
        head = load_table(quiet_cell, name).metadata.current_snapshot_id or 0
        assert rows_at(session, quiet_cell, name, head).count() == len(before[name])
    # Its files are those that a sweep and an expiry left.
    assert publish(spark, quiet_cell, staged) is not None
    assert len(_rows(quiet_cell, "orders.sales")) == len(before["orders.sales"]) + 1


def _rows(cell: Cell, name: str) -> list[str]:
    return sorted(map(str, load_table(cell, name).scan().to_arrow().to_pylist()))
