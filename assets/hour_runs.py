"""The next run of an hourly job: asked for by the sensor and by the schedule alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from assets.keys import HOURS_TAG, Keys
from assets.partitions import first_hour, to_hour, to_key
from assets.runs import ENDED
from pipeline.batch.prepare import prepare
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.hours.due import Attempt, HourRange, due

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
PARTITION_TAG = "dagster/partition"

REMEMBERED = timedelta(days=1)
"""Runs older than this no longer count as attempts."""


def next_build(
    instance: dg.DagsterInstance, cell: Cell, keys: Keys, job_name: str
) -> dg.RunRequest | dg.SkipReason:
    """Return the run that builds the oldest adjoining hours that are due, or why there is none.

    Takes a look at the product's hours, which fences those that are due for it. The run key names
    product, cell, hours, source snapshot and attempt: Dagster never repeats a key, failed or not.

    Raises: as `prepare`; while the ledger does not balance, `LedgerUnbalancedError`.
    """
    unpublished = prepare(cell, keys.product)
    first = first_hour(keys.product)
    hours = {build.hour for build in unpublished.builds if build.hour >= first}
    plan = due(hours, _attempts(instance, job_name), utc_now())
    if not plan.ranges:
        return dg.SkipReason(
            f"No closed hour is to be built now; {len(plan.waiting)} wait after a failure, "
            f"{len(plan.given_up)} failed too often: {', '.join(map(to_key, plan.given_up))}"
        )
    hours_range, attempt = next(iter(plan.ranges.items()))
    start, end = to_key(hours_range.first), to_key(hours_range.last)
    return dg.RunRequest(
        run_key=(
            f"{keys.product.name}/{keys.cell}/{start}..{end}/"
            f"{unpublished.source_snapshot_id}/{attempt}"
        ),
        tags={RANGE_START_TAG: start, RANGE_END_TAG: end, HOURS_TAG: str(hours_range.hours)},
    )


def _attempts(instance: dg.DagsterInstance, job_name: str) -> Iterator[Attempt]:
    records = instance.get_run_records(
        dg.RunsFilter(job_name=job_name, statuses=ENDED, created_after=utc_now() - REMEMBERED)
    )
    for record in records:
        tags = record.dagster_run.tags
        only = tags.get(PARTITION_TAG)
        first, last = tags.get(RANGE_START_TAG, only), tags.get(RANGE_END_TAG, only)
        if first is not None and last is not None and record.end_time is not None:
            ended_at = datetime.fromtimestamp(record.end_time, UTC)
            yield Attempt(HourRange(to_hour(first), to_hour(last)), ended_at)
