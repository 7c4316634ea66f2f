"""All the tables of a product brought to what its contract says."""

from __future__ import annotations

import os
from collections.abc import Callable

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.evolution.apply import EvolutionRefusedError
from pipeline.evolution.derived_tables import plan_derived_tables
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.ingest.commit.tables import IngestTables
from pipeline.ingest.operations.fill import fill, plan_fill
from pipeline.settings import load_settings
from pipeline.supervision.locks import batch_lock, hold_lock
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import events_table


def plan_product(cell: Cell, product: Product) -> tuple[Step, ...]:
    """Return every step from the tables as they are to the contract. Changes nothing.

    Raises:
        ReferenceDataError: reference data cannot be read.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    return _plan(cell, product, IngestTables(cell, product))


def apply_product(
    cell: Cell, product: Product, on_step: Callable[[Step], None]
) -> tuple[Step, ...]:
    """Carry out what `plan_product` plans, and return it; `on_step` is told of each step.

    Columns that a derived table will get are left to its next build. Idempotent: ended at any moment, the
    next call does the rest.

    Raises:
        EvolutionRefusedError: a step is refused; nothing was changed.
        ReferenceDataError: reference data cannot be read.
        LockHeldError: hours of the product are being built, and derived tables are to be made anew.
        RetryableError: catalog or warehouse did not answer, or others went on changing a table.
    """
    tables = IngestTables(cell, product)
    steps = _plan(cell, product, tables)
    refused = [step for step in steps if step.verdict is Verdict.REFUSED]
    if refused:
        raise EvolutionRefusedError(f"{product.name}/{cell.name}", refused)
    for step in steps:
        if step.verdict is Verdict.SAFE:
            on_step(step)
    events, _ = tables.load()
    rewritten = [step for step in steps if step.verdict is Verdict.REWRITE]
    if any(step.action is Action.FILL_ROWS for step in rewritten):
        on_step(_fill(cell, product, events))
    if any(step.action is Action.CHANGE_PARTITIONS for step in rewritten):
        _derive_anew(cell, product, on_step)
    return steps


def _plan(cell: Cell, product: Product, tables: IngestTables) -> tuple[Step, ...]:
    return (*tables.steps(), *_plan_fill(cell, product), *plan_derived_tables(cell, product))


def _plan_fill(cell: Cell, product: Product) -> tuple[Step, ...]:
    try:
        events = load_table(cell, events_table(product.name))
    except TableMissingError:
        return ()
    return plan_fill(cell, product, events)


def _fill(cell: Cell, product: Product, events: Table) -> Step:
    """Fill what was kept whole; return what was done, and which hours were built without it."""
    filled = fill(cell, product, events)
    said = [f"{filled.rows:,} rows filled"]
    if filled.hours:
        listed = ", ".join(f"{hour:%Y-%m-%dT%H}" for hour in filled.hours)
        said.append(f"`headwater hours build --again` builds their hours with them: {listed}")
    if filled.left:
        said.append(f"{filled.left:,} cannot be read and stay as they are")
    name = events_table(product.name)
    return Step(name, Action.FILL_ROWS, "", "; ".join(said), Verdict.REWRITE)


def _derive_anew(cell: Cell, product: Product, on_step: Callable[[Step], None]) -> None:
    # Spark takes seconds to import and more to start: only for who needs it.
    from pipeline.batch.feature_table.rederive import apply_derived
    from pipeline.spark.jars import spark_jars
    from pipeline.spark.session import start_session

    with hold_lock(batch_lock(cell, product.name), f"headwater contract apply, pid {os.getpid()}"):
        spark = start_session(cell, spark_jars(load_settings().cache, cell))
        try:
            for step in apply_derived(spark, cell, product):
                on_step(step)
        finally:
            spark.stop()
