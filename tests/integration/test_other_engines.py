"""Tables that one engine writes, others can read and compact, and the ledger survives it."""

from __future__ import annotations

from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ledger.read import ledger_of
from pipeline.spark.session import own_session
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import COORDINATES
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import check_not_rolled_back
from tests.support.orders import Orders, hour


def test_spark_reads_every_column_of_events(spark: SparkSession, quiet_cell: Cell) -> None:
    orders = Orders(quiet_cell)
    orders.append([(hour(0), "eu", 1), (hour(1), "us", 2)])
    frame = own_session(spark, quiet_cell).table("us.orders.events")
    assert len(frame.collect()) == 2
    wanted = [column.name for column in COORDINATES]
    assert sorted(frame.select(*wanted).collect()) == [
        tuple(row[name] for name in wanted) for row in orders.rows
    ]


def test_spark_reads_every_column_of_dead_letters(
    spark: SparkSession, quiet_cell: Cell, strict_product: Product
) -> None:
    ensure_tables(quiet_cell, strict_product)
    table = f"us.{strict_product.name}.dead_letters"
    assert own_session(spark, quiet_cell).table(table).collect() == []


def test_compaction_keeps_rows_offsets_and_ledger(spark: SparkSession, quiet_cell: Cell) -> None:
    orders = Orders(quiet_cell)
    for number in range(6):
        orders.append([(hour(0), "eu", number)])
    before = load_table(quiet_cell, "orders.events")
    own_session(spark, quiet_cell).sql(
        "CALL us.system.rewrite_data_files(table => 'orders.events', "
        "options => map('min-input-files', '2'))"
    )
    after = load_table(quiet_cell, "orders.events")
    snapshot = after.current_snapshot()
    assert snapshot is not None
    assert snapshot.snapshot_id != before.metadata.current_snapshot_id
    assert len(list(after.scan().plan_files())) == 1
    assert committed_offsets(after) == committed_offsets(before)
    check_not_rolled_back(after)
    ledger = ledger_of(after, quiet_cell, "orders")
    assert ledger.balanced
    assert ledger.totals.rows == 6
