"""A cell with one table, `n.t`, of one column."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyiceberg.table import Table

from pipeline.cells import Cell, embedded_cell
from pipeline.tables.catalog import open_catalog

SCHEMA = pa.schema([pa.field("a", pa.int64())])


def cell_with_table(root: Path) -> Cell:
    """Return a fresh cell whose table is without rows."""
    cell = embedded_cell(root, "us", "127.0.0.1:9")
    catalog = open_catalog(cell)
    catalog.create_namespace("n")
    catalog.create_table("n.t", SCHEMA)
    return cell


def append(table: Table, number: int) -> None:
    """Commit a row."""
    table.append(pa.Table.from_pydict({"a": [number]}, schema=SCHEMA))
