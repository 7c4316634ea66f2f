"""A derived table's rows for an hour, as a build would make them, and nothing of it kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession

from pipeline.batch.compute.range import compute_range
from pipeline.batch.compute.table_types import as_table
from pipeline.batch.context import RangeContext
from pipeline.batch.model import Source
from pipeline.batch.planning.plan import DerivedTableUnknownError
from pipeline.batch.planning.staleness import PlanInputs, hours_of, missing_inputs, source_rows
from pipeline.batch.wap.stage import named_failures
from pipeline.cells import Cell
from pipeline.config.nearest import meant
from pipeline.contract.model import EVENTS, DerivedTable, Product, published_table
from pipeline.control.publications import HourSpan, PublicationLog, read_recorded
from pipeline.errors import RetryableError
from pipeline.hours.peek import peek_hours
from pipeline.hours.states import HourState
from pipeline.tables.catalog import find_table, nothing_ingested, open_catalog
from pipeline.tables.layout import product_table


class InputMissingError(RetryableError):
    """A table that is read has no hour published yet, not even its columns."""


@dataclass(frozen=True)
class PreviewPlan:
    """What previewing an hour of a table computes, and from what.

    Attributes:
        state: of the hour, as it was last looked at.
        source: the snapshot of events, main's now, and their rows in the hours that are read.
        reads: by what is read, the first and the last of its hours.
        missing: hours of other tables that are read and not published, so that rows may lack.
        published: whether the hour is published already.
    """

    table: DerivedTable
    state: HourState
    source: Source
    reads: Mapping[str, tuple[datetime, datetime]]
    missing: tuple[tuple[str, datetime], ...]
    published: bool


@dataclass(frozen=True)
class Preview:
    """Rows of an hour: some of them, if there `is_more`. They are in no order."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    is_more: bool


def plan_preview(cell: Cell, product: Product, table: str, hour: datetime) -> PreviewPlan:
    """Plan the preview of an hour. Places no fence and asks no Kafka, so that an hour may be closed by now.

    Raises:
        DerivedTableUnknownError: the contract has no such derived table.
        TableMissingError: the product was never ingested in this cell.
        InputMissingError: another table that it reads has no hour yet.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    found = _table(cell, product, table)
    reads = {one.table: hours_of(one, hour) for one in found.reads}
    first = min(hour, *(hours[0] for hours in reads.values()))
    states = peek_hours(cell, product, first, hour)
    if states.snapshot_id is None:
        raise nothing_ingested(cell, product.name)
    for name in reads:
        _refuse_absent(cell, product, found, name)
    publications = read_recorded(cell, product.name, HourSpan(first)).publications
    inputs = PlanInputs.of(states, publications)
    return PreviewPlan(
        table=found,
        state=states.hours[-1],
        source=Source(states.snapshot_id, source_rows(found, hour, inputs.rows)),
        reads={name: (hours[0], hours[-1]) for name, hours in reads.items()},
        missing=tuple(missing_inputs(product, found, hour, inputs)),
        published=(published_table(product, found), hour) in inputs.last_publications,
    )


def compute_preview(
    spark: SparkSession, cell: Cell, product: Product, plan: PreviewPlan, limit: int
) -> Preview:
    """Compute what is planned, and return at most `limit` rows, with the types that its table would have.

    Nothing is staged, audited, tagged or published: the snapshot of events may expire meanwhile.

    Raises:
        LogicError: the logic fails, does not fit its inputs, or gives what no table holds.
        SparkFailedError: Spark gave up.
    """
    context = RangeContext(
        spark, cell, product, plan.table, {plan.state.hour: plan.source}, "", PublicationLog()
    )
    with named_failures(context.subject, cell):
        frame = as_table(compute_range(context.session(), context), plan.table)
        rows = frame.limit(limit + 1).toArrow().to_pylist(maps_as_pydicts="strict")
    return Preview(tuple(frame.columns), tuple(rows[:limit]), len(rows) > limit)


def _table(cell: Cell, product: Product, name: str) -> DerivedTable:
    known = {one.name: one for one in product.derived_tables}
    if name in known:
        return known[name]
    raise DerivedTableUnknownError(
        f"there is no derived table {name}.",
        subject=f"{product.name}/{cell.name}",
        remedy=f"{meant(name, known)}Its contract names: {', '.join(known) or 'none'}.",
    )


def _refuse_absent(cell: Cell, product: Product, table: DerivedTable, read: str) -> None:
    if read in (EVENTS, table.name):
        return
    if find_table(open_catalog(cell), product_table(product.name, read)) is None:
        raise InputMissingError(
            f"it reads {read}, of which no hour is published yet.",
            subject=f"{product.name}/{cell.name} {table.name}",
            remedy=f"Preview {read}, or build its hours first: `headwater hours build {product.name}`.",
        )
