"""Why an hour of a derived table is as it is: read from publications, events and the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from pipeline.batch.planning.plan import DerivedTableUnknownError
from pipeline.batch.planning.staleness import hours_of
from pipeline.batch.provenance import provenance
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.config.nearest import meant
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.alerts import read_alerts
from pipeline.control.publications import HourSpan, Publication, read_recorded
from pipeline.errors import TerminalError
from pipeline.impact.cause_model import Cause, Fed
from pipeline.impact.commits import Commits, commits_of
from pipeline.impact.fed import builds_of, event_hours, fed_by, inputs_of, known_at
from pipeline.impact.key_rows import read_key
from pipeline.impact.rows import offsets_between, rows_held
from pipeline.impact.selection import Selection


class HourNotPublishedError(TerminalError):
    """Nothing was ever published of the hour."""


def read_cause(
    cell: Cell,
    product: Product,
    table: str,
    hour: datetime,
    key: Mapping[str, str] | None = None,
) -> Cause:
    """Return what an hour of a derived table was made from, and what its last two builds differ in.

    Rows of events are those that main has of the hours that it reads, with the commits that brought them:
    what retention has deleted is not among them. Only files of these hours are read, and of publications
    those of the hours that it reads. Nothing is written, no Spark is started, and Kafka is not asked.

    Raises:
        DerivedTableUnknownError: the product has no such derived table.
        HourNotPublishedError: nothing was ever published of the hour.
        KeyUnknownError: `key` names a column, or has a value, that the table does not have.
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        FileMissingError, FileDamagedError: with the file.
    """
    derived_table = _derived_table(product, table)
    identifier = published_table(product, derived_table)
    reads = [one for read in derived_table.reads for one in hours_of(read, hour)]
    span = HourSpan(min(*reads, hour), max(*reads, hour))
    publications = read_recorded(cell, product.name, span).publications
    builds = builds_of(publications, identifier, hour)
    if not builds:
        raise HourNotPublishedError(
            f"its hour {hour:%Y-%m-%dT%H} was never published.",
            subject=f"{cell.name}.{identifier}",
            remedy=f"See which are: `headwater hours {product.name} --cell {cell.name}`.",
        )
    build, before = builds[0], builds[1] if len(builds) > 1 else None
    now = known_at(cell.name, build, publications)
    was = None if before is None else known_at(cell.name, before, publications)
    made_from = provenance(product, derived_table, build, now, before)
    alerts = read_alerts(cell, product.name, first_hour=hour)
    return Cause(
        product=product.name,
        cell=cell.name,
        table=derived_table.name,
        identifier=identifier,
        hour=hour,
        build=build,
        earlier=builds[1:],
        fed=_fed(cell, product, derived_table, build, before),
        inputs=inputs_of(product, derived_table, hour, now, was),
        inputs_proven=made_from.builds_known,
        changes=made_from.changes(build),
        alerts=tuple(one for one in alerts if (one.table, one.hour) == (identifier, hour)),
        rows=read_key(cell, derived_table, build, before, key) if key else None,
    )


def _derived_table(product: Product, name: str) -> DerivedTable:
    known = {one.name: one for one in product.derived_tables}
    if name not in known:
        raise DerivedTableUnknownError(
            f"there is no derived table {name}.",
            subject=product.name,
            remedy=f"{meant(name, known)}Its contract names: {', '.join(known) or 'none'}.",
        )
    return known[name]


def _fed(
    cell: Cell,
    product: Product,
    table: DerivedTable,
    build: Publication,
    before: Publication | None,
) -> tuple[Fed, ...]:
    hours = event_hours(table, build.hour)
    if not hours:
        return ()
    commits = Commits.load(cell, product.name)
    events = commits.events
    of_hours = Selection(since=hours[0], until=hours[-1] + HOUR)
    between = offsets_between(events, of_hours)
    if between is None:
        return ()
    entries = commits.entries(Selection(start=between[0], end=between[1]))
    held = rows_held(events, of_hours, entries).filter(pl.col("hour").is_in(list(hours)))
    found = {
        one.snapshot_id: one for one in commits_of(entries, held["snapshot_id"].unique().to_list())
    }
    sources = {build.source_snapshot_id, *([before.source_snapshot_id] if before else [])}
    return fed_by(held, found, commits.sequence_numbers(sources), build, before)
