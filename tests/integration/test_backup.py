"""Backed up while an ingest commits, destroyed, restored and gone on with: nothing lost, nothing doubled."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.settings import PROJECT
from pipeline.tables.catalog import TableMissingError, load_table
from tests.support.code_blocks import blocks
from tests.support.commands import command_for
from tests.support.load import TopicWriter

PAGE = "docs/handbook/back-up.md"
BEFORE, MEANWHILE, AFTER = 1_000, 2_000, 300


def back_up(cell: Cell, to: Path) -> None:
    """Copy a cell by the script of docs/handbook/back-up.md, while it is written to."""
    (script,) = (one.text for one in blocks(PROJECT, PAGE) if one.title)
    subprocess.run([sys.executable, "-c", script, cell.root, to], check=True)


def rows(cell: Cell, product: Product) -> tuple[int, int]:
    """Count rows and the offsets they are of, by an engine that is not Headwater's."""
    try:
        table = load_table(cell, f"{product.name}.events")
    except TableMissingError:
        return 0, 0
    files = [task.file.file_path for task in table.scan().plan_files()]
    if not files:
        return 0, 0
    sql = "SELECT count(*), count(DISTINCT (_topic_partition, _offset)) FROM read_parquet(?)"
    counted = duckdb.execute(sql, [files]).fetchone()
    assert counted is not None
    return counted


@pytest.mark.timeout(300)
def test_a_restored_cell_goes_on_without_loss_or_doubles(
    cell: Cell, strict_product: Product, tmp_path: Path
) -> None:
    writer, command = TopicWriter(cell, strict_product), command_for(cell, strict_product)
    line = ("ingest", "run", strict_product.name, "--cell", cell.name, "--max-records", "50")
    sent = writer.fill(BEFORE).events
    running = command.start(*line)
    running.wait_for(lambda: rows(cell, strict_product)[0] > 100, 90)
    sent += writer.fill(MEANWHILE).events
    copy = tmp_path / "backup"
    back_up(cell, copy)
    backed_up_at = rows(cell, strict_product)[0]
    running.wait_for(lambda: rows(cell, strict_product)[0] > backed_up_at, 90)
    running.end(signal.SIGKILL, within_s=20)
    assert rows(cell, strict_product)[0] < sent, "it was backed up in the middle"

    shutil.rmtree(cell.root)
    shutil.copytree(copy, cell.root)
    sent += writer.fill(AFTER).events
    assert 0 < rows(cell, strict_product)[0] <= backed_up_at
    done = command.run(*line[:-2], "--once")
    assert done.code == 0, done.err
    assert rows(cell, strict_product) == (sent, sent)
    verified = command.run("ledger", strict_product.name, "--cell", cell.name, "--verify")
    assert verified.code == 0, verified.out
