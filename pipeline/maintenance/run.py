"""Maintaining the tables of a product, beside whatever else works on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.ledger.archive import archive_entries
from pipeline.maintenance.compact import compact, plan_compaction
from pipeline.maintenance.expire import expire, plan_expiry
from pipeline.maintenance.plan import FileRewrite, MaintenancePolicy
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import (
    alerts_table,
    dead_letters_table,
    events_table,
    ledger_table,
    publications_table,
)

DEFAULT_POLICY = MaintenancePolicy()


@dataclass(frozen=True)
class MaintenancePlan:
    """What is due of one table: files to rewrite, and snapshots to let go."""

    table: str
    rewritings: tuple[FileRewrite, ...]
    snapshots: tuple[int, ...]


@dataclass(frozen=True)
class MaintenanceResult:
    """What was done to one table: small files and what they became, snapshots and files let go."""

    table: str
    files: int
    into: int
    snapshots: int
    deleted: int


def plan_maintenance(
    cell: Cell, product: Product, policy: MaintenancePolicy = DEFAULT_POLICY, clock: Clock = utc_now
) -> tuple[MaintenancePlan, ...]:
    """Return what `maintain` would do, table by table. Changes nothing."""
    now = clock()
    return tuple(
        MaintenancePlan(name, plan_compaction(table, policy), plan_expiry(table, now, policy))
        for name, table in _tables(cell, product)
    )


def maintain(
    cell: Cell, product: Product, policy: MaintenancePolicy = DEFAULT_POLICY, clock: Clock = utc_now
) -> tuple[MaintenanceResult, ...]:
    """Compact events, dead letters, ledger, publications and alerts of a product; expire old snapshots.

    The ledger's entries are kept in the ledger table before any snapshot that carries them expires.
    Takes no lock and may run beside ingest, readers and itself; whoever loses a commit tries again.
    Nothing is undone when it ends early, and to do it again does the rest. NOT touched: orphan files of
    crashed writers, derived tables.

    Raises:
        RewriteConflictError, TableBusyError: others came first; try again.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        RowsDifferError: rewritten files do not hold as many rows; the table has the old ones.
    """
    with named_errors(f"{product.name}/{cell.name}"):
        events = events_table(product.name)
        archived = {events: archive_entries(cell, product)} if _exists(cell, events) else {}
        return tuple(
            _maintain(name, table, clock(), policy, archived.get(name))
            for name, table in _tables(cell, product)
        )


def _maintain(
    name: str, table: Table, now: datetime, policy: MaintenancePolicy, archived_through: int | None
) -> MaintenanceResult:
    compacted = compact(table, policy)
    table = table.refresh()
    snapshots = plan_expiry(table, now, policy, archived_through)
    deleted = expire(table, snapshots)
    return MaintenanceResult(name, compacted.files, compacted.into, len(snapshots), deleted)


def _exists(cell: Cell, name: str) -> bool:
    try:
        load_table(cell, name)
    except TableMissingError:
        return False
    return True


def _tables(cell: Cell, product: Product) -> list[tuple[str, Table]]:
    found = []
    for identify in (
        events_table,
        dead_letters_table,
        ledger_table,
        publications_table,
        alerts_table,
    ):
        name = identify(product.name)
        try:
            found.append((name, load_table(cell, name)))
        except TableMissingError:
            continue
    return found
