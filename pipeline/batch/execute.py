"""Executing a plan of hours, one range after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pyspark.sql import SparkSession

from pipeline.batch.build import build_range
from pipeline.batch.context import RangeContext
from pipeline.batch.errors import LogicError
from pipeline.batch.fault import file_at_fault
from pipeline.batch.inputs_complete import refuse_incomplete
from pipeline.batch.lineage.build_run import BuildRun
from pipeline.batch.model import HourOutcome, NotReached
from pipeline.batch.pin import pinned
from pipeline.batch.planning.buildable import buildable, sources_of
from pipeline.batch.planning.plan import HourBuild, HoursPlan
from pipeline.batch.planning.read_range import read_ranges
from pipeline.batch.planning.stages import HourStage
from pipeline.batch.provenance import Provenance, provenance
from pipeline.batch.wap.audit_frame import AuditFunction
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import DerivedTable, Product
from pipeline.control.publications import Publication, PublicationLog
from pipeline.errors import HeadwaterError
from pipeline.lineage.runs import ParentRun
from pipeline.lineage.told import told
from pipeline.spark.errors import SparkFailedError
from pipeline.supervision.heartbeat import Pulse, batch_heartbeat_file
from pipeline.supervision.locks import batch_lock, confirm_lock

Auditor = Callable[[DerivedTable], AuditFunction]
"""Gives the audit of one table's hours."""


@dataclass(frozen=True)
class MissingInput:
    """An hour that was not built: `table`'s `hour`, which it reads, is not published."""

    table: str
    hour: datetime


@dataclass(frozen=True)
class BuildResult:
    """What became of one planned hour; an error is what its build ended with.

    `ends_range` is of the last hour of those that were built together: nothing follows at once. `provenance`
    is of an hour that was published.
    """

    build: HourBuild
    outcome: HourOutcome | MissingInput
    ends_range: bool = True
    provenance: Provenance | None = None


def execute(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    plan: HoursPlan,
    auditor: Auditor,
    *,
    run_id: str,
    clock: Clock = utc_now,
    parent: ParentRun | None = None,
) -> Iterator[BuildResult]:
    """Build a plan's ranges one by one in its order, yielding each hour as its range is done.

    What only might have changed is asked about again first, and passed over if it did not. An hour whose
    inputs are not published waits; neither a failed audit nor an error stops the others: a range that cannot
    be computed is built in halves, down to the hours that cannot, and of a table that depends on its past
    what follows an hour that is not published is built from what main has of that one. Which stage of which
    hours is at work stands in the heartbeat beside the batch lock, of no hold on anything. The caller
    holds the product's batch lock: its publications are read once, and what others record after that is
    not seen. The snapshot of events that the plan names is tagged as long, so that it does not expire.
    Lineage tells of the build as a run, which is part of `parent`, and of each hour's as part of that.

    Raises:
        TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: nothing was built.
        LeaseLostError: the lock is another host's by now; no more is built.
    """
    if plan.source_snapshot_id is None or not plan.builds:
        return
    build = BuildRun.of(cell, product, plan, run_id, clock, parent)
    with told(build.told), pinned(cell, product, plan.source_snapshot_id, run_id):
        source = plan.source_snapshot_id
        for done in _execute(
            spark, cell, product, plan, source, auditor, run_id, clock, build.as_parent
        ):
            build.done(done.outcome)
            yield done
        build.over()


def _execute(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    plan: HoursPlan,
    source_snapshot_id: int,
    auditor: Auditor,
    run_id: str,
    clock: Clock,
    parent: ParentRun,
) -> Iterator[BuildResult]:
    tables = {table.name: table for table in product.derived_tables}
    log = PublicationLog.read(cell, product.name)
    pulse = Pulse(batch_heartbeat_file(cell, product.name), run_id, clock)
    lock = batch_lock(cell, product.name)
    waiting = deque(_ranges(cell, product, plan))
    while waiting:
        # What is computed without it could not be published.
        confirm_lock(lock, at_once=False)
        together = waiting.popleft()
        table = tables[together[0].derived_table]
        inputs = replace(plan.inputs, last_publications=log.last, now=clock())
        now = buildable(product, table, together, inputs)
        for build, missing in now.missing:
            yield BuildResult(build, MissingInput(*missing))
        if now.later:
            waiting.appendleft(now.later)
        if not now.builds:
            continue
        if refused := refuse_incomplete(cell, product, table, now.builds, log):
            for build in now.builds.values():
                yield BuildResult(build, refused)
            continue
        sources = sources_of(product, table, now.builds, inputs, source_snapshot_id)
        context = RangeContext(
            spark, cell, product, table, sources, run_id, log, clock, pulse, parent=parent
        )
        before = {hour: log.last.get((context.table, hour)) for hour in now.builds}
        outcomes = _outcomes(context, together[0].stages, auditor(table))
        if again := [now.builds[hour] for hour in context.hours if hour not in outcomes]:
            waiting.appendleft(again)
        last = max(outcomes)
        for hour, outcome in outcomes.items():
            told = (
                provenance(product, table, outcome, inputs, before[hour])
                if isinstance(outcome, Publication)
                else None
            )
            yield BuildResult(now.builds[hour], outcome, hour == last, told)


def _ranges(cell: Cell, product: Product, plan: HoursPlan) -> Iterator[Sequence[HourBuild]]:
    if len({build.hour for build in plan.builds}) == 1:
        # Each table has one: what would be read to put hours together is spared.
        yield from ([build] for build in plan.builds)
        return
    for one in read_ranges(cell, product, plan).ranges:
        yield one.builds


def _outcomes(
    context: RangeContext, stages: Sequence[HourStage], audit: AuditFunction
) -> Mapping[datetime, HourOutcome]:
    """Return what became of hours, oldest first; those that are to be asked about again are left out."""
    hours = context.hours
    try:
        outcomes = build_range(context, stages, audit)
        return {h: one for h in hours if not isinstance(one := outcomes[h], NotReached)}
    except (LogicError, SparkFailedError) as error:
        if len(hours) == 1:
            at_fault = file_at_fault(context) if isinstance(error, SparkFailedError) else None
            return {hours[0]: at_fault or error}
    except HeadwaterError as error:
        return dict.fromkeys(context.hours, error)
    # It says nothing of any one hour, and may be of memory: less of them at once.
    first = _outcomes(context.only(hours[: len(hours) // 2]), stages, audit)
    if context.derived_table.depends_on_past:
        # What the others are computed with is on main by now, or is not to be.
        return first
    return {**first, **_outcomes(context.only(hours[len(hours) // 2 :]), stages, audit)}
