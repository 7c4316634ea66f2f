"""Catalogs that a process opens once: a connection to a server costs several round trips."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog

from pipeline.catalogs import rest
from pipeline.cells import Cell
from pipeline.tables.pyiceberg_private import TimedRestCatalog
from pipeline.tables.warehouse import PROPERTY, Warehouse

Key = tuple[Hashable, ...]
"""What tells one catalog from another: cell, address, warehouse."""


@dataclass
class _Opened:
    lock: Lock = field(default_factory=Lock)
    catalogs: dict[Key, Catalog] = field(default_factory=dict)


_opened = _Opened()


def shared_catalog(key: Key, connect: Callable[[], Catalog]) -> Catalog:
    """Return the process's one catalog of that `key`, made by `connect` where there is none yet.

    It is for every thread, and stays until the process ends. A child that is forked has the catalogs of
    its parent, with connections of its own.

    Raises:
        What `connect` does; the next call connects anew.
    """
    with _opened.lock:
        if key not in _opened.catalogs:
            _opened.catalogs[key] = connect()
        return _opened.catalogs[key]


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


def _begin_as_child() -> None:
    # Closing them would end the parent's; and whoever held the lock is not in this process.
    for catalog in _opened.catalogs.values():
        if isinstance(catalog, SqlCatalog):
            catalog.engine.dispose(close=False)
    _opened.catalogs = {k: v for k, v in _opened.catalogs.items() if isinstance(v, SqlCatalog)}
    _opened.lock = Lock()


os.register_at_fork(after_in_child=_begin_as_child)
