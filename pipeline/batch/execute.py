"""Executing a plan of hours, one hour after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pyspark.sql import SparkSession

from pipeline.batch.context import HourContext
from pipeline.batch.hour import build_hour
from pipeline.batch.model import AuditFunction, Rejected, Source
from pipeline.batch.pin import pinned
from pipeline.batch.planning.plan import HourBuild, HoursPlan
from pipeline.batch.planning.staleness import (
    BuildReason,
    build_reason,
    fingerprint,
    missing_inputs,
    source_rows,
)
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.publications import Publication, PublicationLog
from pipeline.errors import HeadwaterError
from pipeline.spark.errors import SparkFailedError
from pipeline.supervision.heartbeat import Pulse, batch_heartbeat_file
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import events_table, product_table
from pipeline.tables.readable import check_readable

Auditor = Callable[[DerivedTable, datetime], AuditFunction]
"""Gives the audit of one hour of one table."""


@dataclass(frozen=True)
class MissingInput:
    """An hour that was not built: `table`'s `hour`, which it reads, is not published."""

    table: str
    hour: datetime


@dataclass(frozen=True)
class BuildResult:
    """What became of one planned hour; an error is what its build ended with."""

    build: HourBuild
    outcome: Publication | Rejected | MissingInput | HeadwaterError


def execute(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    plan: HoursPlan,
    auditor: Auditor,
    *,
    run_id: str,
    clock: Clock = utc_now,
) -> Iterator[BuildResult]:
    """Build a plan's hours one by one in its order, yielding each as it is done.

    What only might have changed is asked about again first, and passed over if it did not. An hour whose
    inputs are not published waits; neither a failed audit nor an error stops the others. Which stage of
    which hour is at work stands in the heartbeat beside the batch lock, of no hold on anything. The caller
    holds the product's batch lock: its publications are read once, and what others record after that is
    not seen. The snapshot of events that the plan names is tagged as long, so that it does not expire.

    Raises:
        TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: nothing was built.
    """
    if plan.source_snapshot_id is None or not plan.builds:
        return
    with pinned(cell, product, plan.source_snapshot_id, run_id):
        yield from _execute(
            spark, cell, product, plan, plan.source_snapshot_id, auditor, run_id, clock
        )


def _execute(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    plan: HoursPlan,
    source_snapshot_id: int,
    auditor: Auditor,
    run_id: str,
    clock: Clock,
) -> Iterator[BuildResult]:
    tables = {table.name: table for table in product.derived_tables}
    log = PublicationLog.read(cell, product.name)
    pulse = Pulse(batch_heartbeat_file(cell, product.name), run_id, clock)
    for build in plan.builds:
        table = tables[build.derived_table]
        inputs = replace(plan.inputs, last_publications=log.last, now=clock())
        if (
            build.reason is BuildReason.MAY_CHANGE
            and build_reason(product, table, build.hour, inputs) is None
        ):
            continue
        missing = next(missing_inputs(product, table, build.hour, inputs), None)
        if missing is not None:
            yield BuildResult(build, MissingInput(*missing))
            continue
        source = Source(
            source_snapshot_id,
            source_rows(table, build.hour, inputs.rows),
            fingerprint(product, table, build.hour, log.last),
        )
        context = HourContext(
            spark, cell, product, table, build.hour, source, run_id, log, clock, pulse
        )
        yield BuildResult(build, _outcome(context, build, auditor))


def _outcome(
    context: HourContext, build: HourBuild, auditor: Auditor
) -> Publication | Rejected | HeadwaterError:
    audit = auditor(context.derived_table, context.hour)
    try:
        return build_hour(context, build.stages, audit)
    except SparkFailedError as error:
        return _file_at_fault(context) or error
    except HeadwaterError as error:
        return error


def _file_at_fault(context: HourContext) -> HeadwaterError | None:
    """Return the error of a file that the hour's tables lack, whatever Spark has made of it."""
    product, derived_table = context.product, context.derived_table
    names = {events_table(product.name), published_table(product, derived_table)}
    names |= {
        product_table(product.name, read.table)
        for read in derived_table.reads
        if read.table != "events"
    }
    try:
        for name in sorted(names):
            check_readable(load_table(context.cell, name), files=None)
    except TableMissingError:
        return None
    except HeadwaterError as error:
        return error
    return None
