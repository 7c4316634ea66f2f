"""Catalogs that a process opens once: a connection to a server costs several round trips."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog

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


def _begin_as_child() -> None:
    # Closing them would end the parent's; and whoever held the lock is not in this process.
    for catalog in _opened.catalogs.values():
        if isinstance(catalog, SqlCatalog):
            catalog.engine.dispose(close=False)
    _opened.catalogs = {k: v for k, v in _opened.catalogs.items() if isinstance(v, SqlCatalog)}
    _opened.lock = Lock()


os.register_at_fork(after_in_child=_begin_as_child)
