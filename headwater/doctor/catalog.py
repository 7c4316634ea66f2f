"""The catalog: whether it answers, and is the one that this cell's warehouse belongs to."""

from __future__ import annotations

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from sqlalchemy import select

from headwater.doctor.model import Finding, Setup, well
from headwater.doctor.warehouse import tables_in
from pipeline.catalogs.sqlite import database_of, is_absent
from pipeline.cells import Cell
from pipeline.config.secret_text import without_login
from pipeline.errors import TerminalError
from pipeline.tables.cached_catalog import metadata_location
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.errors import named_errors

CATALOG = "catalog"


class ForeignCatalogError(TerminalError):
    """The catalog belongs to another cell, or to another warehouse."""


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Load the metadata of every table that catalog or warehouse have. One not there yet is not made."""
    cell = setup.cell
    where = place(cell)
    lying = tables_in(cell)
    if is_absent(cell) and not lying:
        return (well(CATALOG, where, "it is made with the first table."),)
    catalog = open_catalog(cell)
    with named_errors(f"catalog of cell {cell.name}"):
        known = [
            ".".join(table)
            for namespace in catalog.list_namespaces()
            for table in catalog.list_tables(namespace)
        ]
        others = [] if known else _others(catalog)
    if others and (lying or database_of(cell)):
        raise _foreign(cell, where, f"it has tables of {', '.join(others)}, and none of this cell")
    for identifier in known:
        location = metadata_location(catalog, identifier)
        if location is not None and not _is_below(location, cell.warehouse):
            raise _foreign(cell, where, f"it has {identifier} at {location}")
    for identifier in dict.fromkeys((*known, *lying)):
        find_table(catalog, identifier)
    return (well(CATALOG, where, f"it answers; tables: {len(known)}."),)


def place(cell: Cell) -> str:
    """Return where the cell's catalog is, without what may be secret in its address."""
    return without_login(str(cell.catalog.get("uri") if cell.catalog else cell.catalog_uri))


def _others(catalog: Catalog) -> list[str]:
    """Return the names of the cells that an SQL catalog has tables of."""
    if not isinstance(catalog, SqlCatalog):
        return []
    with catalog.engine.connect() as connection:
        return sorted(connection.scalars(select(IcebergTables.catalog_name).distinct()))


def _is_below(location: str, warehouse: str) -> bool:
    *store, path = PyArrowFileIO.parse_location(location)
    *other, root = PyArrowFileIO.parse_location(warehouse.rstrip("/"))
    return store == other and path.startswith(f"{root}/")


def _foreign(cell: Cell, where: str, what: str) -> ForeignCatalogError:
    return ForeignCatalogError(
        f"{what}: it is not the catalog of the warehouse {cell.warehouse}.",
        subject=f"catalog of cell {cell.name}, {where}",
        remedy="Correct `catalog_uri` or `warehouse` in the cell's settings.",
    )
