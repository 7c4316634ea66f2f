"""An hour's rows are shown as a build makes them, and nothing of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from pipeline.batch.planning.plan import DerivedTableUnknownError
from pipeline.batch.preview import InputMissingError, compute_preview, plan_preview
from pipeline.cells import Cell
from pipeline.hours.fence import FenceStore
from pipeline.state.open import open_state
from pipeline.tables.catalog import TableMissingError
from tests.support.commands import command_for
from tests.support.derivations import Chain, chained_product
from tests.support.orders import TOPIC_ID, hour
from tests.support.products import own_product

ORDERS = [(hour(1), "north", 3), (hour(2), "north", 4), (hour(2), "south", 9)]


def files(cell: Cell) -> dict[Path, bytes]:
    # The engine's own folder is no part of the cell's data.
    return {
        path: path.read_bytes()
        for path in cell.root.rglob("*")
        if path.is_file() and path.suffix not in (".db-wal", ".db-shm")
    }


def test_rows_of_an_hour_are_those_that_a_build_makes_of_it(
    spark: SparkSession, quiet_cell: Cell, tmp_path: Path
) -> None:
    chain = Chain(spark, quiet_cell, chained_product(tmp_path))
    chain.orders.append(ORDERS)
    before = files(quiet_cell)
    plan = plan_preview(quiet_cell, chain.product, "sales", hour(2))
    assert not plan.state.closed
    assert not plan.published
    assert plan.source.rows == 2
    found = compute_preview(spark, quiet_cell, chain.product, plan, 10)
    one = compute_preview(spark, quiet_cell, chain.product, plan, 1)
    assert files(quiet_cell) == before
    assert (one.is_more, len(one.rows)) == (True, 1)

    with pytest.raises(InputMissingError, match="it reads streaks, of which no hour is published"):
        plan_preview(quiet_cell, chain.product, "tastes", hour(2))

    chain.build([1, 2], derived_tables=["sales", "streaks"])
    made = {row["region"]: row for row in chain.rows("sales") if row["hour"] == hour(2)}
    assert not found.is_more
    assert {row["region"]: row for row in found.rows} == made
    state = FenceStore(open_state(quiet_cell))
    state.place(TOPIC_ID, [hour(2)], {0: 3}, hour(4))
    again = plan_preview(quiet_cell, chain.product, "sales", hour(2))
    assert again.state.closed
    assert again.published
    assert plan_preview(quiet_cell, chain.product, "tastes", hour(2)).missing == ()
    lacking = plan_preview(quiet_cell, chain.product, "tastes", hour(3))
    assert lacking.missing == (("streaks", hour(3)),)


def test_a_product_has_no_hours_before_its_first_commit(quiet_cell: Cell, tmp_path: Path) -> None:
    product = own_product("strict_events", tmp_path / "contracts")
    command = command_for(quiet_cell, product)
    found = command.run("hours", product.name, "--cell", "us", "--json")
    assert found.code == 0
    assert found.json["hours"] == []
    assert f"`headwater ingest run {product.name} --cell us --once`" in found.err
    assert "Traceback" not in found.err


def test_what_there_is_not_is_told(quiet_cell: Cell, tmp_path: Path) -> None:
    product = chained_product(tmp_path)
    with pytest.raises(DerivedTableUnknownError, match="Did you mean streaks"):
        plan_preview(quiet_cell, product, "streak", hour(1))
    with pytest.raises(TableMissingError, match="nothing was ingested yet"):
        plan_preview(quiet_cell, product, "sales", hour(1))
