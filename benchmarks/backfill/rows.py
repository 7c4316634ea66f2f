"""Whether tables hold the same rows: every row and every value, told by DuckDB over their data files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.cells import Cell
from pipeline.tables.catalog import load_table

OURS = ("build",)
"""Columns that say which build a row is of."""


def keep_rows(cell: Cell, identifier: str, file: Path) -> None:
    """Write the table's rows to a Parquet file.

    Raises:
        TableMissingError: there is no such table.
    """
    with duckdb.connect() as engine:
        engine.read_parquet(_files(cell, identifier)).write_parquet(str(file))


def compare_rows(cell: Cell, identifier: str, file: Path) -> tuple[int, int]:
    """Return how many rows the table has, and how many stand in one of table and file alone.

    Columns are those of the file, told by name; each row counts as often as it is there.

    Raises:
        TableMissingError: there is no such table.
        duckdb.Error: the table lacks a column.
    """
    with duckdb.connect() as engine:
        engine.read_parquet(str(file)).create_view("kept")
        engine.read_parquet(_files(cell, identifier)).create_view("found")
        names = [name for name in engine.table("kept").columns if name not in OURS]
        columns = ", ".join(f'"{name}"' for name in names)
        one, other = (f"SELECT {columns} FROM {view}" for view in ("kept", "found"))  # noqa: S608
        alone = (engine.sql(f"{a} EXCEPT ALL {b}") for a, b in ((one, other), (other, one)))
        return len(engine.table("found")), sum(map(len, alone))


def _files(cell: Cell, identifier: str) -> list[str]:
    # As they are named: peers' partitions by time have signs in their paths that stand for themselves.
    tasks = load_table(cell, identifier).scan().plan_files()
    return [task.file.file_path.removeprefix("file://") for task in tasks]
