"""A catalog in a SQLite file: the embedded one, on a local disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from pipeline.cells import Cell
from pipeline.disk import sqlite_error
from pipeline.errors import TerminalError
from pipeline.sqlite_wal import use_wal

LOCK_WAIT_S = 60
"""How long a writer waits for the file's lock."""
_PREFIX = "sqlite:///"


class CatalogDamagedError(TerminalError):
    """The catalog's file is not a database any more."""


def database_of(cell: Cell) -> Path | None:
    """Return the file of an embedded catalog; None where the catalog is elsewhere."""
    uri = "" if cell.catalog else cell.catalog_uri
    return Path(uri.removeprefix(_PREFIX)) if uri.startswith(_PREFIX) else None


def is_absent(cell: Cell) -> bool:
    """Return whether the cell's catalog is an embedded one that was never made, or is gone."""
    database = database_of(cell)
    return database is not None and (not database.exists() or not database.stat().st_size)


def prepare(database: Path) -> None:
    """Let the file's readers not wait for its writers, for good; made where absent.

    Raises:
        sqlite3.Error, OSError: it cannot be done.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database, timeout=LOCK_WAIT_S)) as connection:
        use_wal(connection, LOCK_WAIT_S)


def name_faults(engine: Engine, cell: str, database: Path) -> None:
    """Let uses of a catalog's `engine` raise named errors where its disk is full or its file damaged."""

    @event.listens_for(engine, "handle_error")
    def name(context: ExceptionContext) -> None:
        raise_fault(context.original_exception, cell, database)


def raise_fault(error: BaseException, cell: str, database: Path) -> None:
    """Raise a named error if the disk is full or the file is no database; return for any other `error`.

    Raises:
        CatalogDamagedError, DiskFullError: it is that.
    """
    subject = f"catalog of cell {cell}, {database}"
    damaged = CatalogDamagedError(
        f"the file is no catalog ({error}).",
        subject=subject,
        remedy="Restore it from a backup, or move it away, with its -wal and -shm, and register the "
        f"tables again from their metadata: `headwater recover --cell {cell}`.",
    )
    named = sqlite_error(error, database, damaged, None, subject)
    if named is not None:
        raise named from error
