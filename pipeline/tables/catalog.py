"""Opening a cell's Iceberg catalog and its tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.errors import TerminalError

LOCK_WAIT_S = 60
"""How long a writer waits for the SQLite catalog's lock."""


class TableMissingError(TerminalError):
    """The table does not exist in the cell's catalog."""


def open_catalog(cell: Cell) -> SqlCatalog:
    """Open the cell's catalog, creating an embedded one that is absent.

    Safe to call from many processes at once. A SQLite catalog must be on a local disk.
    """
    uri = cell.catalog_uri
    if uri.startswith("sqlite:///"):
        database = Path(uri.removeprefix("sqlite:///"))
        database.parent.mkdir(parents=True, exist_ok=True)
        with sqlite3.connect(database, timeout=LOCK_WAIT_S) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        uri = f"{uri}?timeout={LOCK_WAIT_S}"
    return SqlCatalog(cell.name, uri=uri, warehouse=cell.warehouse)


def load_table(cell: Cell, identifier: str) -> Table:
    """Load `namespace.table`.

    Raises:
        TableMissingError: there is no such table yet.
    """
    try:
        return open_catalog(cell).load_table(identifier)
    except NoSuchTableError:
        raise TableMissingError(
            "no such table.",
            subject=f"{cell.name}.{identifier}",
            remedy="Ingest the product first, and check the cell's name.",
        ) from None
