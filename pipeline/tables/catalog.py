"""Opening a cell's Iceberg catalog and its tables."""

from __future__ import annotations

import sqlite3
import weakref
from contextlib import closing
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError, ValidationError
from pyiceberg.io import load_file_io
from pyiceberg.table import Table
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from pipeline.cells import Cell
from pipeline.disk import FileDamagedError, naming_full_disk, sqlite_error
from pipeline.errors import TerminalError
from pipeline.sqlite_wal import use_wal
from pipeline.tables.cached_catalog import CachedCatalog, metadata_location
from pipeline.tables.errors import named_errors
from pipeline.tables.warehouse import has_history, tables_with_history

LOCK_WAIT_S = 60
"""How long a writer waits for the SQLite catalog's lock."""
CREATORS = 10
"""How many other processes may create the same catalog or table at the same moment."""
_SQLITE = "sqlite:///"


class TableMissingError(TerminalError):
    """The table does not exist in the cell's catalog."""


class CatalogLostError(TerminalError):
    """The catalog does not know tables whose metadata lie in the warehouse."""


class CatalogDamagedError(TerminalError):
    """The catalog's file is not a database any more."""


def open_catalog(cell: Cell, *, recovering: bool = False) -> SqlCatalog:
    """Open the cell's catalog, creating an embedded one that is absent.

    Safe to call from many processes at once. A SQLite catalog must be on a local disk. `recovering` makes
    one also beside a warehouse that has tables, for these to be registered in it. Its connections end with
    the last reference to it, or to a table that was loaded from it.

    Raises:
        CatalogUnavailableError: it did not answer, or stayed locked for `LOCK_WAIT_S` seconds.
        CatalogLostError: an embedded one is absent, and tables lie in the warehouse; nothing was created.
        CatalogDamagedError: an embedded one's file is no database.
        DiskFullError: there is no room to create it.
    """
    uri = cell.catalog_uri
    database = _database(cell)
    if database is None:
        with named_errors(f"catalog of cell {cell.name}"):
            return _connect(cell, uri)
    if not recovering and is_absent(cell):
        _refuse_beside_tables(cell, database)
    with named_errors(f"catalog of cell {cell.name}"), naming_full_disk(database):
        database.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(database, timeout=LOCK_WAIT_S)) as connection:
                use_wal(connection, LOCK_WAIT_S)
            catalog = _connect(cell, f"{uri}?timeout={LOCK_WAIT_S}")
        except (sqlite3.Error, SQLAlchemyError) as error:
            _raise_fault(getattr(error, "orig", None) or error, cell.name, database)
            raise
    _name_faults(catalog.engine, cell.name, database)
    return catalog


def is_absent(cell: Cell) -> bool:
    """Return whether the cell's catalog is an embedded one that was never made, or is gone."""
    database = _database(cell)
    return database is not None and (not database.exists() or not database.stat().st_size)


def _database(cell: Cell) -> Path | None:
    """Return the file of an embedded catalog."""
    uri = cell.catalog_uri
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def _refuse_beside_tables(cell: Cell, database: Path) -> None:
    with named_errors(f"{cell.name}, {cell.warehouse}"):
        found = tables_with_history(cell.warehouse)
    # Somebody else may have created it, and tables in it, since it was looked for.
    if found and is_absent(cell):
        raise _lost(cell.name, f"its catalog {database} is not there", found)


def _connect(cell: Cell, uri: str) -> SqlCatalog:
    for _ in range(CREATORS):
        try:
            catalog = CachedCatalog(cell.name, uri=uri, warehouse=cell.warehouse)
            # The engine keeps connections open for its catalog, and outlives it until garbage is collected.
            weakref.finalize(catalog, catalog.engine.dispose)
            return catalog
        except (OperationalError, ProgrammingError) as error:
            # PyIceberg looks first and creates then; another process may create in between.
            if "already exists" not in str(error):
                raise
    return CachedCatalog(cell.name, uri=uri, warehouse=cell.warehouse)


def _name_faults(engine: Engine, cell: str, database: Path) -> None:
    """Let uses of a catalog's `engine` raise named errors where its disk is full or its file damaged."""

    @event.listens_for(engine, "handle_error")
    def name(context: ExceptionContext) -> None:
        _raise_fault(context.original_exception, cell, database)


def _raise_fault(error: BaseException, cell: str, database: Path) -> None:
    """Raise a named error if the disk is full or the file is no database; return for any other `error`."""
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


def find_table(catalog: SqlCatalog, identifier: str) -> Table | None:
    """Return `namespace.table`, or None where there is none: not in the catalog, nor in the warehouse.

    What lies in the warehouse is looked for only where the catalog has nothing, and counts from the
    table's first commit on.

    Raises:
        CatalogLostError: the catalog does not know the table, and its metadata lie in the warehouse.
        FileMissingError, FileDamagedError: the catalog names a metadata file that cannot be read.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    with named_errors(f"{catalog.name}.{identifier}"):
        try:
            return _load(catalog, identifier)
        except NoSuchTableError:
            warehouse = catalog.properties["warehouse"]
            if not has_history(warehouse, identifier):
                return None
        try:
            # Another process may have created and filled it since it was looked for.
            return _load(catalog, identifier)
        except NoSuchTableError:
            namespace = identifier.partition(".")[0]
            found = [
                one
                for one in tables_with_history(warehouse, namespace)
                if metadata_location(catalog, one) is None
            ]
            raise _lost(
                f"{catalog.name}.{identifier}", "the catalog does not know it", found
            ) from None


def _load(catalog: SqlCatalog, identifier: str) -> Table:
    try:
        return catalog.load_table(identifier)
    except FileNotFoundError:
        named = metadata_location(catalog, identifier)
        if named is None or not load_file_io(catalog.properties, named).new_input(named).exists():
            raise
        # Commits have let go of the file that the catalog named before them: it names another one now.
        return _load(catalog, identifier)
    except (ValueError, ValidationError) as error:
        raise FileDamagedError(
            f"the metadata file {metadata_location(catalog, identifier)} cannot be read: it is damaged.",
            subject=f"{catalog.name}.{identifier}",
            remedy="Restore the file from a backup.",
        ) from error


def load_table(cell: Cell, identifier: str) -> Table:
    """Load `namespace.table`.

    Raises:
        TableMissingError: there is no such table yet.
        Others: as `open_catalog` and `find_table`.
    """
    table = find_table(open_catalog(cell), identifier)
    if table is None:
        raise TableMissingError(
            "no such table.",
            subject=f"{cell.name}.{identifier}",
            remedy="Ingest the product first, and check the cell's name.",
        )
    return table


def _lost(subject: str, what: str, tables: list[str] | tuple[str, ...]) -> CatalogLostError:
    cell = subject.partition(".")[0]
    return CatalogLostError(
        f"{what}, and in the warehouse lie the metadata of {', '.join(tables)}: to go on would begin "
        "new tables beside them.",
        subject=subject,
        remedy="Restore the catalog from a backup, or register the tables again from their metadata: "
        f"`headwater recover --cell {cell}`. Of a table that was dropped on purpose, remove the folder.",
    )
