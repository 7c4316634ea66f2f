"""Opening a cell's registry."""

from __future__ import annotations

from pipeline.cells import Cell
from pipeline.schemas.registry import Registry
from pipeline.schemas.sqlite import SqliteRegistry


def open_registry(cell: Cell) -> Registry:
    """Open the cell's registry, creating an embedded one that is absent.

    Raises:
        RegistryUnavailableError, DiskFullError: it cannot be opened now.
        RegistryDamagedError: its file is no registry.
    """
    return SqliteRegistry(cell.registry_db)
