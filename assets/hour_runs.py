"""The next run of an hourly job: asked for by sensors and by the schedule alike."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.keys import (
    DUE_TAG,
    HOURS_TAG,
    PARTITION_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    WHY_TAG,
    Keys,
)
from assets.partitions import to_hour, to_key
from assets.runs import ENDED
from pipeline.batch.planning.due import Attempt, HourRange
from pipeline.batch.planning.plan import plan_hours
from pipeline.batch.planning.read_inputs import read_plan_inputs
from pipeline.batch.planning.select_hours import select_hours
from pipeline.batch.planning.staleness import BuildReason
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.hours.first import first_hour, too_early

REMEMBERED = timedelta(days=1)
"""Runs older than this no longer count as attempts."""


def next_build(
    instance: dg.DagsterInstance,
    cell: Cell,
    keys: Keys,
    job_name: str,
    reasons: Collection[BuildReason],
    log: logging.Logger,
) -> dg.RunRequest | dg.SkipReason:
    """Return the run that builds the oldest adjoining hours that are due for one of `reasons`.

    Takes a look at the product's hours, which fences those that are due for it. The run key names
    product, cell, hours, source snapshot, what is published of them, and attempt: Dagster never
    repeats a key, failed or not. Hours that lie before the first partition are left out, and `log` says so.

    Raises: as `read_plan_inputs`; while the ledger does not balance, `LedgerUnbalancedError`.
    """
    plan = plan_hours(keys.product, read_plan_inputs(cell, keys.product))
    attempts = _attempts(instance, job_name)
    found = select_hours(keys.product, plan, attempts, reasons, first_hour(keys.product))
    early = too_early(keys.product, {build.hour for build in plan.builds if build.rows})
    if early:
        log.warning(early)
    if found.hours is None:
        return dg.SkipReason(
            f"{early or ''} "
            f"No hour is to be built now; {len(found.waiting)} wait after a failure, "
            f"{len(found.blocked)} for others, "
            f"{len(found.given_up)} failed too often: {', '.join(map(to_key, found.given_up))}".strip()
        )
    start, end = to_key(found.hours.first), to_key(found.hours.last)
    return dg.RunRequest(
        run_key=(
            f"{keys.product.name}/{keys.cell}/{start}..{end}/"
            f"{plan.source_snapshot_id}/{found.state}/{found.attempt}"
        ),
        tags={
            RANGE_START_TAG: start,
            RANGE_END_TAG: end,
            HOURS_TAG: str(found.hours.hours),
            DUE_TAG: ",".join(map(to_key, found.due)),
            WHY_TAG: ",".join(sorted(reasons)),
        },
    )


def _attempts(instance: dg.DagsterInstance, job_name: str) -> Iterator[Attempt]:
    records = instance.get_run_records(
        dg.RunsFilter(job_name=job_name, statuses=ENDED, created_after=utc_now() - REMEMBERED)
    )
    for record in records:
        tags = record.dagster_run.tags
        if record.end_time is None:
            continue
        ended_at = datetime.fromtimestamp(record.end_time, UTC)
        started_at = datetime.fromtimestamp(record.start_time, UTC) if record.start_time else None
        for hours in _due_of(tags):
            yield Attempt(hours, ended_at, started_at)


def _due_of(tags: Mapping[str, str]) -> Iterator[HourRange]:
    """Yield what a run was to build: the hours that a sensor was sure of, or all that a person chose."""
    only = tags.get(PARTITION_TAG)
    first, last = tags.get(RANGE_START_TAG, only), tags.get(RANGE_END_TAG, only)
    if DUE_TAG in tags:
        hours = map(to_hour, filter(None, tags[DUE_TAG].split(",")))
        yield from (HourRange(hour, hour) for hour in hours)
    elif first is not None and last is not None:
        yield HourRange(to_hour(first), to_hour(last))
