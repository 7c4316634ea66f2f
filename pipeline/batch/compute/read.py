"""Reading what hours of a derived table are computed from, as pinned; nothing is computed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.compute.inputs import Inputs, RangeInputs
from pipeline.batch.compute.logic import PythonLogic
from pipeline.batch.compute.references import reference_frame
from pipeline.batch.context import RangeContext
from pipeline.batch.planning.staleness import hours_of
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.model import EVENTS, Read
from pipeline.spark.tables import rows_at, rows_of
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import HOUR_COLUMN, events_table, product_table

PRUNED_BY = 100
"""So many hours are told to Iceberg one by one: it binds all of them anew for each file that it reads."""


def read_inputs(
    session: SparkSession,
    context: RangeContext,
    hour: datetime,
    python: PythonLogic | None = None,
) -> Inputs:
    """Return what an hour is computed from, each also a view in `session`; nothing is read yet."""
    return Inputs(hour, *_views(session, context, hour, hour, python))


def read_range_inputs(
    session: SparkSession, context: RangeContext, python: PythonLogic | None = None
) -> RangeInputs:
    """Return what the hours from the first to the last of `context` are computed from, as `read_inputs`.

    Of the table itself, hours before the first.
    """
    first, last = context.hours[0], context.hours[-1]
    return RangeInputs(first, last + HOUR, *_views(session, context, first, last, python))


def events_of(session: SparkSession, context: RangeContext, hours: Iterable[datetime]) -> DataFrame:
    """Return the events from the first to the last of `hours`, as of the source's snapshot."""
    if context.given is not None:
        events = context.given.events(session)
    else:
        table = events_table(context.product.name)
        events = rows_at(session, context.cell, table, context.source_snapshot_id)
    return events.where(_within("_event_time", hours))


def references_of(session: SparkSession, context: RangeContext) -> dict[str, DataFrame]:
    """Return the reference data that the contract names, by name."""
    return {
        one.name: reference_frame(session, context.product, one)
        if context.given is None
        else context.given.reference(session, one)
        for one in context.product.references
        if one.name in context.derived_table.references
    }


def literal(instant: datetime) -> str:
    """Return an instant in SQL."""
    return f"TIMESTAMP '{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00:00'"


def of_hours(hours: Iterable[datetime]) -> str:
    """Return the predicate, in SQL, of the rows of some hours."""
    ordered = sorted(hours)
    between = _within(HOUR_COLUMN, ordered)
    if len(ordered) == (ordered[-1] - ordered[0]) // HOUR + 1:
        return between
    if len(ordered) <= PRUNED_BY:
        return f"{between} AND `{HOUR_COLUMN}` IN ({', '.join(map(literal, ordered))})"
    micros = (str(int(hour.timestamp()) * 1_000_000) for hour in ordered)
    return f"{between} AND unix_micros(`{HOUR_COLUMN}`) IN ({', '.join(micros)})"


def _views(
    session: SparkSession,
    context: RangeContext,
    first: datetime,
    last: datetime,
    python: PythonLogic | None = None,
) -> tuple[dict[str, DataFrame], dict[str, DataFrame]]:
    """Return the tables and the reference data that the hours from `first` to `last` read, also as views."""
    own = context.derived_table.name
    tables = {}
    for read in context.derived_table.reads:
        # Of itself it has no hour of the range yet.
        until = first if read.table == own else last
        hours = (*hours_of(read, first), *hours_of(read, until))
        tables[read.table] = _rows(session, context, hours, read, python)
    references = references_of(session, context)
    for name, frame in {**tables, **references}.items():
        frame.createOrReplaceTempView(name)
    return tables, references


def _rows(
    session: SparkSession,
    context: RangeContext,
    hours: Iterable[datetime],
    read: Read,
    python: PythonLogic | None,
) -> DataFrame:
    cell, derived_table = context.cell, context.derived_table
    if read.table == EVENTS:
        return events_of(session, context, hours)
    identifier = product_table(context.product.name, read.table)
    is_own = read.table == derived_table.name
    if context.given is not None:
        found = context.given.table(session, read.table)
    elif is_own and python is not None and python.schema and not _exists(cell, identifier):
        return session.createDataFrame([], f"{python.schema}, {HOUR_COLUMN} TIMESTAMP")
    else:
        found = rows_of(session, cell, identifier)
    rows = found.where(_within(HOUR_COLUMN, hours))
    return rows.where(derived_table.handover) if is_own and derived_table.handover else rows


def _within(column: str, hours: Iterable[datetime]) -> str:
    ordered = sorted(hours)
    return f"`{column}` >= {literal(ordered[0])} AND `{column}` < {literal(ordered[-1] + HOUR)}"


def _exists(cell: Cell, identifier: str) -> bool:
    try:
        load_table(cell, identifier)
    except TableMissingError:
        return False
    return True
