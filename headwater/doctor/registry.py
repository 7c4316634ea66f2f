"""The schema registry: whether it answers and lets the cell in."""

from __future__ import annotations

from dataclasses import replace

from headwater.doctor.model import Finding, Setup, well
from pipeline.cells import Cell
from pipeline.schemas.open import open_registry
from pipeline.tables.errors import named_errors
from pipeline.tables.warehouse import tables_with_history

REGISTRY = "registry"
_QUICK = {"timeout": 3, "max.retries": 0}


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Ask for its subjects. An embedded one that is not there yet is not made."""
    cell = setup.cell
    if cell.schema_registry:
        cell = replace(cell, schema_registry={**cell.schema_registry, **_QUICK})
    elif not cell.registry_db.exists() and not _is_lost(cell):
        return (well(REGISTRY, str(cell.registry_db), "it is made once a schema is registered."),)
    count = len(open_registry(cell).subjects())
    return (well(REGISTRY, place(setup.cell), f"it answers; subjects: {count}."),)


def place(cell: Cell) -> str:
    """Return where the cell's registry is, without what may be secret in its address."""
    if not cell.schema_registry:
        return str(cell.registry_db)
    return str(cell.schema_registry["url"]).rpartition("@")[2]


def _is_lost(cell: Cell) -> bool:
    with named_errors(f"{cell.name}, {cell.warehouse}"):
        return bool(tables_with_history(cell.warehouse))
