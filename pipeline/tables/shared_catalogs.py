"""Catalogs that a process opens once: a connection to a server costs several round trips."""

from __future__ import annotations

from collections.abc import Hashable

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog

from pipeline.catalogs import rest
from pipeline.catalogs.shared import OpenedOnce
from pipeline.cells import Cell
from pipeline.tables.pyiceberg_private import TimedRestCatalog
from pipeline.tables.warehouse import PROPERTY, Warehouse

Key = tuple[Hashable, ...]
"""What tells one catalog from another: cell, address, warehouse."""


def _leave(catalog: Catalog) -> bool:
    if isinstance(catalog, SqlCatalog):
        catalog.engine.dispose(close=False)
    # A session of HTTP is the parent's whole: the child opens one of its own.
    return isinstance(catalog, SqlCatalog)


_OPENED: OpenedOnce[Key, Catalog] = OpenedOnce(_leave)
shared_catalog = _OPENED.get


def open_rest(cell: Cell, warehouse: Warehouse) -> Catalog:
    """Return the process's one catalog of REST of the cell; it has answered, and taken the login, once.

    Raises:
        CatalogNotSupportedError: the cell's settings for it cannot be used, or it cannot do what tables need.
        CatalogRefusedError: what answers is no such catalog; else as the library does.
    """
    given = {**warehouse.properties, **rest.properties(cell), PROPERTY: warehouse.location}

    def connect() -> Catalog:
        try:
            catalog = TimedRestCatalog(cell.name, **given)
            if lacking := catalog.lacking():
                raise rest.breaks_promise(
                    f"catalog of cell {cell.name}", f"the catalog does not do {', '.join(lacking)}."
                )
            # Its answer to the first question is the same whatever the login and the warehouse are.
            catalog.list_namespaces()
            return catalog
        except OSError:
            raise
        except ValueError as error:
            raise rest.no_catalog(cell, error) from error

    return shared_catalog((cell.name, *given.items()), connect)
