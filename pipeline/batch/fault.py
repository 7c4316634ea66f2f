"""Which file a build met that it could not read, when Spark says only that it gave up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.batch.context import RangeContext
from pipeline.batch.planning.staleness import hours_of
from pipeline.clock import HOUR
from pipeline.contract.model import EVENTS, published_table
from pipeline.errors import HeadwaterError
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.integrity.reading import check_whole
from pipeline.tables.layout import HOUR_COLUMN, events_table, product_table


def file_at_fault(context: RangeContext) -> HeadwaterError | None:
    """Return the error of a file that the build of one hour needs and cannot read; None if all can be.

    Every file of the tables is looked for; read to their ends are those of the hours that the hour reads.
    """
    for identifier, row_filter in _read(context):
        try:
            check_whole(load_table(context.cell, identifier), row_filter)
        except TableMissingError:
            continue
        except HeadwaterError as error:
            return error
    return None


def _read(context: RangeContext) -> Iterator[tuple[str, str]]:
    """Yield the tables that an hour's build reads, each with the filter of the rows."""
    product, table, (hour,) = context.product, context.derived_table, context.hours
    for read in table.reads:
        hours = hours_of(read, hour)
        if read.table == EVENTS:
            yield events_table(product.name), _within("_event_time", hours[0], hours[-1])
        else:
            yield product_table(product.name, read.table), _within(HOUR_COLUMN, hours[0], hours[-1])
    yield published_table(product, table), _within(HOUR_COLUMN, hour, hour)


def _within(column: str, first: datetime, last: datetime) -> str:
    return f"{column} >= '{first.isoformat()}' and {column} < '{(last + HOUR).isoformat()}'"
