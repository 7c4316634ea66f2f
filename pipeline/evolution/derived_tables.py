"""How a product's derived tables differ from their contracts, as far as that is known before logic runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import (
    BUILD_COLUMN,
    HOUR_COLUMN,
    PARTITIONS_PENDING,
    product_table,
)

AT_THE_NEXT_BUILD = (
    "at the next build, of the type that the logic gives; null in hours built before"
)
KEPT = "not in the contract: null in new rows"
CREATED = "with the first hour that is built"
UNGIVEN = "the next build derives the table anew: no hour was built yet with all of these columns"
ANEW = "the table is derived anew from its whole history, by `headwater contract apply` or the next build"


@dataclass(frozen=True)
class DerivedTableState:
    """A derived table as it is.

    Attributes:
        published: columns of the table that its hours are published in; None where there is none.
        current: columns of a feature table itself; None where there is none, or it is no feature table.
        partitions: the columns that the feature table is partitioned by.
        pending: whether its rows are still those of other partitions.
    """

    published: tuple[str, ...] | None
    current: tuple[str, ...] | None = None
    partitions: tuple[str, ...] = ()
    pending: bool = False


def read_table_state(
    cell: Cell, product: Product, derived_table: DerivedTable
) -> DerivedTableState:
    """Return the table as it is in the cell. Reads metadata alone; starts no Spark.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    hours = _load(cell, published_table(product, derived_table))
    published = None if hours is None else _names(hours)
    if derived_table.feature is None:
        return DerivedTableState(published)
    table = _load(cell, product_table(product.name, derived_table.name))
    if table is None:
        return DerivedTableState(published)
    schema = table.schema()
    names = (schema.find_column_name(field.source_id) for field in table.spec().fields)
    return DerivedTableState(
        published,
        _names(table),
        tuple(name for name in names if name is not None),
        PARTITIONS_PENDING in table.properties,
    )


def plan_derived_table(
    product: Product, derived_table: DerivedTable, held: DerivedTableState
) -> tuple[Step, ...]:
    """Return what a derived table's contract asks of the tables as they are. Pure.

    Types are the logic's, known when it runs: a build makes columns follow, or refuses by name before
    anything is staged. A column that is renamed is one that is added and one that is kept.
    """
    identifier = published_table(product, derived_table)
    own = product_table(product.name, derived_table.name)
    steps = [*_columns(identifier, derived_table, held.published)]
    if derived_table.feature is not None:
        if own != identifier:
            steps += _columns(own, derived_table, held.current)
        wanted = derived_table.feature.partitions
        if held.current is not None and (set(wanted) != set(held.partitions) or held.pending):
            before = ", ".join(held.partitions) if not held.pending else "as before"
            detail = f"{before} -> {', '.join(wanted)}"
            why = ANEW if set(wanted) <= set(held.published or ()) else UNGIVEN
            steps.append(Step(own, Action.CHANGE_PARTITIONS, "", detail, Verdict.REWRITE, why))
    return tuple(steps)


def plan_derived_tables(cell: Cell, product: Product) -> tuple[Step, ...]:
    """Return the steps of all of a product's derived tables, in their order.

    Raises: as `read_table_state`.
    """
    return tuple(
        step
        for derived_table in product.derived_tables
        for step in plan_derived_table(
            product, derived_table, read_table_state(cell, product, derived_table)
        )
    )


def _columns(
    table: str, derived_table: DerivedTable, held: tuple[str, ...] | None
) -> Iterator[Step]:
    if held is None:
        yield Step(table, Action.CREATE_TABLE, "", CREATED, Verdict.SAFE)
        return
    if not derived_table.columns:
        return
    stated = [column.name for column in derived_table.columns]
    for name in stated:
        if name not in held:
            yield Step(table, Action.ADD_COLUMN, name, AT_THE_NEXT_BUILD, Verdict.SAFE)
    for name in held:
        if name not in (*stated, HOUR_COLUMN, BUILD_COLUMN):
            yield Step(table, Action.KEEP_COLUMN, name, KEPT, Verdict.SAFE)


def _names(table: Table) -> tuple[str, ...]:
    # Not `column_names`, which has what is inside records too.
    return tuple(field.name for field in table.schema().fields)


def _load(cell: Cell, identifier: str) -> Table | None:
    try:
        return load_table(cell, identifier)
    except TableMissingError:
        return None
