"""Refusing to compute hours from rows of derived tables that no lineage leads to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pipeline.batch.planning.staleness import hours_of
from pipeline.cells import Cell
from pipeline.completeness.measure import hours_completeness
from pipeline.completeness.model import LineageIncompleteError
from pipeline.contract.model import EVENTS, DerivedTable, Product, published_table
from pipeline.control.publications import HourSpan, Publication, PublicationLog


def refuse_incomplete(
    cell: Cell,
    product: Product,
    table: DerivedTable,
    hours: Collection[datetime],
    publications: PublicationLog,
) -> LineageIncompleteError | None:
    """Return the refusal of hours whose inputs have rows that no publication tells of; None if all have.

    Of events the plan says so. Reads the manifests of those hours.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    for read in table.reads:
        if read.table == EVENTS:
            continue
        wanted = {one for hour in hours for one in hours_of(read, hour)}
        if read.table == table.name:
            # What a build that was killed has published and not recorded, this one makes good.
            wanted -= set(hours)
        if not wanted:
            continue
        span = HourSpan(min(wanted), max(wanted))
        recorded = _last(product, read.table, wanted, publications)
        for found in hours_completeness(cell, product, span, [read.table], recorded):
            if lacking := sorted(wanted & set(found.hours or ())):
                return LineageIncompleteError(
                    f"hour {lacking[0]:%Y-%m-%dT%H} of {found.table}, which it reads, has rows that no "
                    "publication tells of: somebody else added them.",
                    subject=f"{cell.name}.{product.name}.{table.name}",
                    remedy="Build that hour again, which replaces its rows; then this one.",
                )
    return None


def _last(
    product: Product, name: str, hours: Collection[datetime], publications: PublicationLog
) -> list[Publication] | None:
    """Return the last publications of a table's hours; None of a feature table, which has all its builds."""
    (table,) = (one for one in product.derived_tables if one.name == name)
    if table.feature is not None:
        return None
    key = published_table(product, table)
    found = (publications.last.get((key, hour)) for hour in hours)
    return [one for one in found if one is not None]
