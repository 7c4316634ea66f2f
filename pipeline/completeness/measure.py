"""Measuring the completeness of lineage, from tables' metadata and what is recorded of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from pyiceberg.catalog import Catalog
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import HOUR, Clock, hour_of, utc_now
from pipeline.completeness.commits import letters_completeness, served_completeness
from pipeline.completeness.model import Completeness, completeness_of_hours
from pipeline.completeness.unrecorded import unrecorded_builds
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.publications import HourSpan, Publication, read_recorded
from pipeline.hours.rows import rows_by_hour
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.read import read_ledger
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import events_table, product_table

RECENT = timedelta(hours=48)
"""Hours of derived tables that are looked at, unless others are asked for."""


def measure_completeness(
    cell: Cell,
    product: Product,
    *,
    first_hour: datetime | None = None,
    clock: Clock = utc_now,
) -> tuple[Completeness, ...]:
    """Measure all sinks of a product: events, dead letters, and derived tables from `first_hour` on.

    By default derived tables are looked at for `RECENT`. What it costs does not grow with what was ever
    ingested. NOT found are rows that were put in the place of as many that were deleted: `ledger --verify`
    finds those. An hour that was published and is not recorded yet is told by the snapshot that did it.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    ledger, catalog = read_ledger(cell, product, last=0), open_catalog(cell)
    since = hour_of(clock() - RECENT) if first_hour is None else first_hour
    return (
        events_completeness(ledger),
        letters_completeness(catalog, product.name),
        *hours_completeness(cell, product, HourSpan(since)),
    )


def events_completeness(ledger: Ledger) -> Completeness:
    """Return the completeness of events: rows beyond those that the ledger tells of are lacking."""
    return Completeness(
        events_table(ledger.product).partition(".")[2], ledger.rows_held, ledger.rows_unaccounted
    )


def hours_completeness(
    cell: Cell,
    product: Product,
    span: HourSpan,
    derived_tables: Collection[str] | None = None,
    recorded: Iterable[Publication] | None = None,
) -> tuple[Completeness, ...]:
    """Return the completeness of derived tables' hours: rows that no publication tells of are lacking.

    Of `derived_tables`, if they are given. A feature table is two, its history by hours and what it serves.
    Who has read the publications already gives them as `recorded`.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    catalog = open_catalog(cell)
    if recorded is None:
        recorded = read_recorded(cell, product.name, span).publications
    recorded = tuple(recorded)
    wanted = (
        one
        for one in product.derived_tables
        if derived_tables is None or one.name in derived_tables
    )
    return tuple(
        found for one in wanted for found in _derived(catalog, product, one, span, recorded)
    )


def _derived(
    catalog: Catalog,
    product: Product,
    derived: DerivedTable,
    span: HourSpan,
    recorded: Iterable[Publication],
) -> Iterator[Completeness]:
    table = find_table(catalog, published_table(product, derived))
    if table is not None:
        before = None if span.last is None else span.last + HOUR
        with reading(table):
            rows = rows_by_hour(table, span.first, before)
        yield _of_hours(table, derived, rows, recorded)
    if derived.feature is not None:
        served = find_table(catalog, product_table(product.name, derived.name))
        if served is not None:
            yield served_completeness(served)


def _of_hours(
    table: Table,
    derived: DerivedTable,
    rows: Mapping[datetime, int],
    recorded: Iterable[Publication],
) -> Completeness:
    """Return the completeness of hours, each of which is to have its last build, of a history every one."""
    name = ".".join(table.name())
    builds = {(one.wap_id, one.hour): one.rows for one in recorded if one.table == name}
    is_history = derived.feature is not None
    accounted = Counter[datetime]()
    for (_, hour), count in builds.items():
        accounted[hour] = count + (accounted[hour] if is_history else 0)
    found = completeness_of_hours(table.name()[-1], rows, accounted)
    if found.is_full:
        return found
    # Seldom: a build goes on or was killed, or somebody else wrote.
    for hour, count in unrecorded_builds(table, found.hours or (), builds, each=is_history):
        accounted[hour] = count + (accounted[hour] if is_history else 0)
    return completeness_of_hours(found.table, rows, accounted)
