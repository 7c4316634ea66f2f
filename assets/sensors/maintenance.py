"""Launches upkeep where it is due, and only there."""

from datetime import UTC, datetime

import dagster as dg

from assets.keys import WHY_TAG, Keys
from assets.runs import ENDED
from assets.sensors.one_run import ask_for_run
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.errors import HeadwaterError
from pipeline.maintenance.need import pause_after
from pipeline.maintenance.run import plan_due_steps
from pipeline.supervision.locks import maintenance_lock
from resources.cell import CellResource

INTERVAL_S = 60


def maintenance_due(keys: Keys, job_name: str) -> dg.SensorDefinition:
    """Return the sensor that launches the maintenance of a product's tables once some of it is due.

    It reads each table's metadata and nothing else. Five minutes lie between two runs, an hour after one
    that failed.
    """

    @dg.sensor(
        name=keys.name("maintenance_due"),
        job_name=job_name,
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Maintains tables once they need it: snapshots, small files, orphan files.",
        tags=keys.tags,
    )
    def sense(context: dg.SensorEvaluationContext, cell: CellResource) -> dg.SensorResult:
        return ask_for_run(
            context,
            cell,
            job_name,
            lambda where: maintenance_lock(where, keys.product.name),
            lambda where: _next_run(context.instance, where, keys, job_name),
        )

    return sense


def _next_run(
    instance: dg.DagsterInstance, cell: Cell, keys: Keys, job_name: str
) -> dg.RunRequest | dg.SkipReason:
    last = instance.get_run_records(dg.RunsFilter(job_name=job_name, statuses=ENDED), limit=1)
    for record in last:
        ended_at = datetime.fromtimestamp(record.end_time or 0.0, UTC)
        failed = record.dagster_run.status is dg.DagsterRunStatus.FAILURE
        next_at = ended_at + pause_after(failed=failed)
        if next_at > utc_now():
            return dg.SkipReason(f"The next run is at {next_at:%H:%M} UTC at the earliest.")
    try:
        due = plan_due_steps(cell, keys.product)
    except HeadwaterError as error:
        return dg.SkipReason(f"Nothing is maintained. {error}")
    if not due:
        return dg.SkipReason("Nothing is due.")
    steps = ", ".join(f"{one.step} {one.table}" for one in due)
    return dg.RunRequest(tags={WHY_TAG: steps})
