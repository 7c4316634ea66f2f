"""The schema registry: whether it answers and lets the cell in."""

from __future__ import annotations

from dataclasses import replace

from headwater.doctor.model import Finding, Outcome, Setup, well
from headwater.doctor.warehouse import tables_in
from pipeline.cells import Cell
from pipeline.schemas.open import open_registry
from pipeline.tables.errors import WarehouseUnavailableError

REGISTRY = "registry"
_QUICK = {"timeout": 3, "max.retries": 0}


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Ask for its subjects. An embedded one that is not there yet is not made."""
    cell = setup.cell
    if cell.schema_registry:
        cell = replace(cell, schema_registry={**cell.schema_registry, **_QUICK})
    elif not cell.registry_db.exists():
        try:
            is_new = not tables_in(cell)
        except WarehouseUnavailableError:
            what = "it is not there; whether it is lost cannot be told without the warehouse."
            return (Finding(REGISTRY, Outcome.NOT_ASKED, str(cell.registry_db), what),)
        if is_new:
            what = "it is made once a schema is registered."
            return (well(REGISTRY, str(cell.registry_db), what),)
    count = len(open_registry(cell).subjects())
    return (well(REGISTRY, place(setup.cell), f"it answers; subjects: {count}."),)


def place(cell: Cell) -> str:
    """Return where the cell's registry is, without what may be secret in its address."""
    if not cell.schema_registry:
        return str(cell.registry_db)
    return str(cell.schema_registry["url"]).rpartition("@")[2]
