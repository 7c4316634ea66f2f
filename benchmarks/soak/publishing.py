"""Finding the hours that are due, and publishing them without their rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from benchmarks.soak.commits import IDENTITY, committed_batches
from pipeline.batch.planning.plan import HoursPlan, plan_hours
from pipeline.batch.planning.read_inputs import read_plan_inputs
from pipeline.batch.planning.staleness import fingerprint, source_rows
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product, published_table
from pipeline.control.publications import Publication, record
from pipeline.hours.states import HourStates, fence_hours


def read_states(
    cell: Cell, product: Product, clock: Clock, also: Iterable[datetime], since: datetime | None
) -> HourStates:
    """Return the states of hours as `read_hour_states` does, of a topic that ends where events do."""
    done = committed_batches(cell, product, 1)
    watermarks = dict.fromkeys(IDENTITY.partitions, done)
    return fence_hours(cell, product, clock(), watermarks, also, since)


def plan_due(cell: Cell, product: Product) -> HoursPlan:
    """Plan the hours that are due now, as the sensor of closed hours does."""
    inputs = read_plan_inputs(cell, product, read_states=read_states)
    return plan_hours(product, inputs)


def publish(cell: Cell, product: Product, plan: HoursPlan) -> None:
    """Record every planned hour as published, a table's together, as builds would; no rows are computed."""
    now = utc_now()
    last = dict(plan.inputs.last_publications)
    for table in product.derived_tables:
        hours = [build for build in plan.builds if build.derived_table == table.name]
        for build in hours:
            rows = source_rows(table, build.hour, plan.inputs.rows)
            inputs = fingerprint(product, table, build.hour, last)
            wap_id = f"{table.name}-{build.hour:%Y%m%dT%H}-{now:%Y%m%dT%H}"
            made = Publication(
                published_table(product, table), build.hour, now,
                1, 1, 1, wap_id, build.rows, table.version, "soak", 1,
                source_rows=rows, inputs=inputs, digest=f"{rows}:1", handover="0:0",
            )  # fmt: skip
            last[made.table, made.hour] = made
        name = published_table(product, table)
        record(cell, product.name, [last[name, build.hour] for build in hours])
