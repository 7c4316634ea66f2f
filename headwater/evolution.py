"""All the tables of a product brought to what its contract says."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.evolution.apply import EvolutionRefusedError
from pipeline.evolution.model import Step, Verdict
from pipeline.ingest.tables import IngestTables


def plan_product(cell: Cell, product: Product) -> tuple[Step, ...]:
    """Return every step from the tables as they are to the contract. Changes nothing.

    Raises:
        ReferenceDataError: reference data cannot be read.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    return IngestTables(cell, product).steps()


def apply_product(
    cell: Cell, product: Product, on_step: Callable[[Step], None]
) -> tuple[Step, ...]:
    """Carry out what `plan_product` plans, and return it; `on_step` is told of each step before it.

    Each table's safe steps are one commit. Idempotent: ended at any moment, the next call does the rest.

    Raises:
        EvolutionRefusedError: a step is refused; nothing was changed.
        RetryableError: catalog or warehouse did not answer, or others went on changing a table.
    """
    steps = plan_product(cell, product)
    refused = [step for step in steps if step.verdict is Verdict.REFUSED]
    if refused:
        raise EvolutionRefusedError(f"{product.name}/{cell.name}", refused)
    for step in steps:
        on_step(step)
    IngestTables(cell, product).load()
    return steps
