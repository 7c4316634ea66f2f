"""Opening a cell's Iceberg catalog and its tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table
from sqlalchemy.exc import OperationalError, ProgrammingError

from pipeline.cells import Cell
from pipeline.errors import TerminalError
from pipeline.tables.errors import named_errors

LOCK_WAIT_S = 60
"""How long a writer waits for the SQLite catalog's lock."""
CREATORS = 10
"""How many other processes may create the same catalog or table at the same moment."""


class TableMissingError(TerminalError):
    """The table does not exist in the cell's catalog."""


def open_catalog(cell: Cell) -> SqlCatalog:
    """Open the cell's catalog, creating an embedded one that is absent.

    Safe to call from many processes at once. A SQLite catalog must be on a local disk.

    Raises:
        CatalogUnavailableError: it did not answer, or stayed locked for `LOCK_WAIT_S` seconds.
    """
    uri = cell.catalog_uri
    with named_errors(f"catalog of cell {cell.name}"):
        if uri.startswith("sqlite:///"):
            database = Path(uri.removeprefix("sqlite:///"))
            database.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(database, timeout=LOCK_WAIT_S)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            uri = f"{uri}?timeout={LOCK_WAIT_S}"
        return _connect(cell, uri)


def _connect(cell: Cell, uri: str) -> SqlCatalog:
    for _ in range(CREATORS):
        try:
            return SqlCatalog(cell.name, uri=uri, warehouse=cell.warehouse)
        except (OperationalError, ProgrammingError) as error:
            # PyIceberg looks first and creates then; another process may create in between.
            if "already exists" not in str(error):
                raise
    return SqlCatalog(cell.name, uri=uri, warehouse=cell.warehouse)


def load_table(cell: Cell, identifier: str) -> Table:
    """Load `namespace.table`.

    Raises:
        TableMissingError: there is no such table yet.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    try:
        with named_errors(f"{cell.name}.{identifier}"):
            return open_catalog(cell).load_table(identifier)
    except NoSuchTableError:
        raise TableMissingError(
            "no such table.",
            subject=f"{cell.name}.{identifier}",
            remedy="Ingest the product first, and check the cell's name.",
        ) from None
