"""Carrying a plan of hours out, one hour after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pyspark.sql import SparkSession

from pipeline.batch.hour import build_hour
from pipeline.batch.model import Audit, Rejected, Source
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
from pipeline.contract.model import DerivedTable, Product
from pipeline.control.publications import Publication, latest, read_publications
from pipeline.errors import HeadwaterError

Auditor = Callable[[DerivedTable, datetime], Audit]
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
    """Build a plan's hours one by one in its order, yielding each as it is settled.

    What only might have changed is looked at again first, and passed over if it did not. An hour whose
    inputs are not published waits; neither a failed audit nor an error stops the others. The caller
    holds the product's batch lock.
    """
    if plan.source_snapshot_id is None:
        return
    tables = {table.name: table for table in product.derived_tables}
    for build in plan.builds:
        table = tables[build.derived_table]
        last_publications = latest(read_publications(cell, product.name))
        inputs = replace(plan.inputs, last_publications=last_publications, now=clock())
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
            plan.source_snapshot_id,
            source_rows(table, build.hour, inputs.rows),
            fingerprint(product, table, build.hour, last_publications),
        )
        audit = auditor(table, build.hour)
        outcome: Publication | Rejected | HeadwaterError
        try:
            outcome = build_hour(
                spark,
                cell,
                product,
                table,
                build.hour,
                audit,
                source=source,
                run_id=run_id,
                clock=clock,
            )
        except HeadwaterError as error:
            outcome = error
        yield BuildResult(build, outcome)
