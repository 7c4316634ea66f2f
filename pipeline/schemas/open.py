"""Opening a cell's registry."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.cells import Cell
from pipeline.schemas.registry import Registry, RegistryLostError
from pipeline.schemas.sqlite import SqliteRegistry

FIRST_ID_AFTER_LOSS = 1_000_000
"""Ids of a registry that follows a lost one begin here: none of them was given before."""


def open_registry(cell: Cell) -> Registry:
    """Open the cell's own registry, which is not asked yet, or the one of `open_embedded_registry`.

    Raises:
        CellInvalidError: the settings of its own are none that Confluent's client takes.
    """
    if not cell.schema_registry:
        return open_embedded_registry(cell)
    from pipeline.schemas.http import HttpRegistry

    return HttpRegistry(cell.schema_registry)


def open_embedded_registry(cell: Cell, *, recovering: bool = False) -> SqliteRegistry:
    """Open the cell's embedded registry, creating one that is absent.

    `recovering` makes one also beside a warehouse that has tables. Its ids are none that the lost one gave:
    records that refer to those find no schema, rather than another one.

    Raises:
        RegistryUnavailableError, DiskFullError: it cannot be opened now.
        RegistryDamagedError: its file is no registry.
        RegistryLostError: it is absent, and tables lie in the warehouse; nothing was created.
    """
    database = cell.registry_db
    if database.exists() and (database.is_dir() or database.stat().st_size):
        return SqliteRegistry(database)
    found = _tables_of(cell)
    if not found:
        return SqliteRegistry(database)
    if not recovering:
        raise RegistryLostError(
            f"the schema registry {database} is not there, and the warehouse has {', '.join(found)}.",
            subject=f"cell {cell.name}",
            remedy="Restore it from a backup: records in Kafka refer to schemas by the ids that it gave. "
            f"Where there is none, `headwater recover --cell {cell.name} --new-registry` begins another, "
            "and records of before that are not ingested yet become dead letters.",
        )
    return SqliteRegistry(database, first_id=FIRST_ID_AFTER_LOSS)


def _tables_of(cell: Cell) -> Sequence[str]:
    # What opens a registry that is there, as its server does, needs none of the tables' libraries.
    from pipeline.tables.errors import named_errors
    from pipeline.tables.warehouse import tables_with_history, warehouse_of

    with named_errors(f"{cell.name}, {cell.warehouse}"):
        return tables_with_history(warehouse_of(cell))
