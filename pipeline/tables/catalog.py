"""Opening a cell's Iceberg catalog and its tables."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError, ValidationError
from pyiceberg.io import load_file_io
from pyiceberg.table import Table
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from pipeline.catalogs import postgresql, rest, sqlite
from pipeline.cells import Cell
from pipeline.disk import FileDamagedError, naming_full_disk
from pipeline.errors import TerminalError
from pipeline.tables.cached_catalog import CachedCatalog, metadata_location
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import events_table
from pipeline.tables.shared_catalogs import open_rest, shared_catalog
from pipeline.tables.warehouse import (
    PROPERTY,
    Warehouse,
    has_history,
    tables_with_history,
    warehouse_behind,
    warehouse_of,
)

CREATORS = 10
"""How many other processes may create the same catalog or table at the same moment."""
"""By cell, address and warehouse."""


class TableMissingError(TerminalError):
    """The table does not exist in the cell's catalog."""


class CatalogLostError(TerminalError):
    """The catalog does not know tables whose metadata lie in the warehouse."""


def open_catalog(cell: Cell, *, recovering: bool = False) -> Catalog:
    """Open the cell's catalog; one in a database is created where absent: SQLite's file, PostgreSQL's tables.

    Safe to call from many processes at once. A SQLite catalog must be on a local disk. `recovering` makes
    one also beside a warehouse that has tables, for these to be registered in it. Its connections end with
    the last reference to it, or to a table that was loaded from it; to a server, with the process.

    Raises:
        CatalogUnavailableError: it did not answer, or stayed locked for `sqlite.LOCK_WAIT_S` seconds.
        CatalogRefusedError, WarehouseRefusedError: PostgreSQL, the REST catalog or S3 answered, and refused.
        WarehouseNotSupportedError: no warehouse can be where the cell says.
        CatalogNotSupportedError: it is of none of these kinds, or psycopg is not installed.
        CatalogLostError: an embedded one is absent, and tables lie in the warehouse; nothing was created.
        CatalogDamagedError: an embedded one's file is no database.
        DiskFullError: there is no room to create it.
    """
    database, warehouse = sqlite.database_of(cell), warehouse_of(cell)
    with named_errors(f"catalog of cell {cell.name}"):
        if rest.is_rest(cell):
            return open_rest(cell, warehouse)
        if database is None:
            return _open_shared(cell, warehouse)
        if not recovering and sqlite.is_absent(cell):
            _refuse_beside_tables(cell, database, warehouse)
        return _open_embedded(cell, database, warehouse)


def _open_shared(cell: Cell, warehouse: Warehouse) -> Catalog:
    address = postgresql.address(cell.catalog_uri, cell.name)
    uri = address.render_as_string(hide_password=False)
    # A connection that ended while it was idle is replaced.
    connect = partial(_connect, cell, uri, warehouse, pool_pre_ping="true")
    key = (cell.name, uri, warehouse.location, *warehouse.properties.items())
    return shared_catalog(key, connect)


def _open_embedded(cell: Cell, database: Path, warehouse: Warehouse) -> SqlCatalog:
    with naming_full_disk(database):
        try:
            sqlite.prepare(database)
            catalog = _connect(cell, f"{cell.catalog_uri}?timeout={sqlite.LOCK_WAIT_S}", warehouse)
        except (sqlite3.Error, SQLAlchemyError) as error:
            sqlite.raise_fault(getattr(error, "orig", None) or error, cell.name, database)
            raise
    sqlite.name_faults(catalog.engine, cell.name, database)
    return catalog


def _refuse_beside_tables(cell: Cell, database: Path, warehouse: Warehouse) -> None:
    with named_errors(f"{cell.name}, {cell.warehouse}"):
        found = tables_with_history(warehouse)
    # Somebody else may have created it, and tables in it, since it was looked for.
    if found and sqlite.is_absent(cell):
        raise _lost(cell.name, f"its catalog {database} is not there", found)


def _connect(cell: Cell, uri: str, warehouse: Warehouse, **further: str) -> SqlCatalog:
    given = {
        "uri": uri,
        "warehouse": cell.warehouse,
        PROPERTY: cell.warehouse,
        **warehouse.properties,
        **further,
    }
    for _ in range(CREATORS):
        try:
            catalog = CachedCatalog(cell.name, **given)
            # The engine keeps connections open for its catalog, and outlives it until garbage is collected.
            weakref.finalize(catalog, catalog.engine.dispose)
            return catalog
        except (IntegrityError, OperationalError, ProgrammingError) as error:
            # PyIceberg looks first and creates then; another process may create in between.
            if "already exists" not in str(error):
                raise
    return CachedCatalog(cell.name, **given)


def find_table(catalog: Catalog, identifier: str) -> Table | None:
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
            warehouse = warehouse_behind(catalog)
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
            subject, what = f"{catalog.name}.{identifier}", "the catalog does not know it"
            raise _lost(subject, what, found, isinstance(catalog, SqlCatalog)) from None


def _load(catalog: Catalog, identifier: str) -> Table:
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
        product = identifier.partition(".")[0]
        if identifier == events_table(product):
            raise nothing_ingested(cell, product)
        raise TableMissingError(
            "no such table.",
            subject=f"{cell.name}.{identifier}",
            remedy="Ingest the product first, and check the cell's name.",
        )
    return table


def nothing_ingested(cell: Cell, product: str) -> TableMissingError:
    """Return what is told of a product that has no events in a cell yet."""
    return TableMissingError(
        "nothing was ingested yet.",
        subject=f"{product}/{cell.name}",
        remedy=f"Run `headwater ingest run {product} --cell {cell.name} --once`; under `headwater up` "
        f"Dagster ingests by itself once there are records (`headwater produce {product}` makes some up).",
    )


def _lost(
    subject: str, what: str, tables: Sequence[str], recoverable: bool = True
) -> CatalogLostError:
    register = (
        ", or register the tables again from their metadata: `headwater recover --cell "
        f"{subject.partition('.')[0]}`"
        if recoverable
        else ", or correct `catalog` or `warehouse` in the cell's settings"
    )
    return CatalogLostError(
        f"{what}, and in the warehouse lie the metadata of {', '.join(tables)}: to go on would begin "
        "new tables beside them.",
        subject=subject,
        remedy=f"Restore the catalog from a backup{register}. Of a table that was dropped on purpose, "
        "remove the folder.",
    )
