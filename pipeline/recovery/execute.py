"""Carrying a recovery out: tables are entered into the catalog, and nothing else is touched."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import TableAlreadyExistsError

from pipeline.catalogs.errors import CatalogNotSupportedError
from pipeline.catalogs.rest import is_rest
from pipeline.catalogs.sqlite import is_absent
from pipeline.cells import Cell
from pipeline.recovery.model import RecoveryAction, RecoveryStep
from pipeline.recovery.plan import plan_recovery
from pipeline.recovery.read import read_tables
from pipeline.supervision.locks import batch_lock, hold_lock, ingest_lock
from pipeline.tables.catalog import open_catalog
from pipeline.tables.create import ensure_namespace
from pipeline.tables.errors import named_errors


def plan(cell: Cell, product: str | None = None) -> tuple[RecoveryStep, ...]:
    """Return what `recover` would do. Changes nothing, and creates no catalog.

    Raises: as `recover`, but for LockHeldError.
    """
    if is_rest(cell):
        # One that was tried answers with an empty table for what was registered in it.
        raise CatalogNotSupportedError(
            "tables are not registered again in a REST catalog: whether it has their rows then is unsure.",
            subject=f"cell {cell.name}",
            remedy="Restore the catalog by its own means, with the tables that it had.",
        )
    catalog = None if is_absent(cell) else open_catalog(cell)
    return plan_recovery(read_tables(cell, catalog, product))


def recover(cell: Cell, product: str | None = None) -> tuple[RecoveryStep, ...]:
    """Register every table of the cell's warehouse, or of one product in it, that the catalog lacks.

    Returns what was planned, and done but for what it refuses. An entry that the catalog has is never
    changed. Ended at any moment, the next call does the rest; when all is registered it does nothing.
    Rows, offsets and ledger are those of the metadata file that is registered: docs/adr/0026 says which one
    that is, and what is not guaranteed. NOT recovered: registry, fences, Dagster's own storage.

    Raises:
        LockHeldError: the product is being ingested, or its hours built.
        CatalogNotSupportedError: the catalog is one of REST; nothing was done.
        CatalogDamagedError: the catalog's file is no database: move it away first.
        CatalogUnavailableError, WarehouseUnavailableError, DiskFullError: try again later.
    """
    due = (step for step in plan(cell, product) if step.action is RecoveryAction.REGISTER)
    products = sorted({step.table.partition(".")[0] for step in due})
    owner = f"headwater recover, pid {os.getpid()}"
    with ExitStack() as locks:
        # A commit that is under way would add a metadata file, and must not.
        for name in products:
            for lock in (ingest_lock(cell, name), batch_lock(cell, name)):
                locks.enter_context(hold_lock(lock, owner))
        catalog = open_catalog(cell, recovering=True)
        steps = plan_recovery(read_tables(cell, catalog, product))
        with named_errors(f"catalog of cell {cell.name}"):
            for step in steps:
                if step.action is RecoveryAction.REGISTER and step.metadata is not None:
                    _register(catalog, step.table, step.metadata)
    return steps


def _register(catalog: Catalog, identifier: str, metadata: str) -> None:
    ensure_namespace(catalog, identifier.partition(".")[0])
    # Another recovery may have come first: what it registered stays.
    with suppress(TableAlreadyExistsError):
        catalog.register_table(identifier, metadata)
