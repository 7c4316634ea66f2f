"""Keeps exactly one ingest of each product alive."""

import dagster as dg

from assets.keys import Keys
from assets.runs import check_runs, pause_left, to_cursor
from pipeline.cells import CellNotFoundError
from pipeline.supervision.locks import ingest_lock
from resources.cell import CellResource

INTERVAL_S = 15


def keep_alive(keys: Keys, job_name: str) -> dg.SensorDefinition:
    """Return the sensor that launches the ingest job whenever nobody ingests the product.

    Whether somebody does is told by the ingest lock, not by Dagster: a run that Dagster calls
    started, and that twice did not hold the lock, is reported as failed. After failures it waits
    longer each time, ten minutes at most.
    """

    @dg.sensor(
        name=keys.name("ingest_keep_alive"),
        job_name=job_name,
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Exactly one ingest alive; one that died is reported failed and replaced.",
        tags=keys.tags,
    )
    def ingest_keep_alive(
        context: dg.SensorEvaluationContext, cell: CellResource
    ) -> dg.SensorResult:
        try:
            where = cell.load()
        except CellNotFoundError as error:
            return dg.SensorResult(skip_reason=str(error))
        lock = ingest_lock(where, keys.product.name)
        liveness = check_runs(context.instance, job_name, lock, context.cursor)
        cursor = to_cursor(liveness)
        if liveness.busy:
            return dg.SensorResult(skip_reason=liveness.reason, cursor=cursor)
        pause = pause_left(context.instance, job_name)
        if pause:
            reason = f"The last run failed; the next may start in {pause.total_seconds():.0f} s."
            return dg.SensorResult(skip_reason=reason, cursor=cursor)
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=cursor)

    return ingest_keep_alive
