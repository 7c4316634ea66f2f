"""Keeps exactly one ingest of each product alive."""

import dagster as dg

from assets.keys import Keys
from assets.sensors.ended_runs import run_ends
from assets.sensors.one_run import ask_for_run
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.contract.objectives import freshness_objective
from pipeline.contract.settings.units import in_words
from pipeline.ingest.failures.alert import alert_failing, alert_stalled
from pipeline.ingest.read.awaited import awaits_topic
from pipeline.supervision.heartbeat import STALLED_AFTER, describe_stall
from pipeline.supervision.liveness import Liveness
from pipeline.supervision.locks import ingest_lock
from pipeline.supervision.restart import failures_in_a_row, pause_left, repeated_failure
from resources.cell import CellResource

INTERVAL_S = 10
_LOCKLESS: str | None = (
    f"its process lives, and has not taken the ingest lock for {in_words(STALLED_AFTER)} or more. "
    "Look at its log; terminate the run if it is stuck, and the next one begins where it is."
)


def keep_alive(keys: Keys, job_name: str) -> dg.SensorDefinition:
    """Return the sensor that launches the ingest job whenever nobody ingests the product.

    Whether somebody does is told by the ingest lock and by the runs' processes, not by Dagster: a run that
    Dagster calls started, and whose process is gone, is reported as failed. After failures in a row that
    committed nothing it waits longer each time, up to half of the freshness objective; three of one kind,
    and an ingest that lives and does not go on, or never takes the lock, become alerts. A topic that was
    never there is waited for.
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
        def next_run(where: Cell) -> dg.RunRequest | dg.SkipReason:
            reason = _why_not(context.instance, where, keys, job_name)
            return dg.SkipReason(reason) if reason else dg.RunRequest()

        return ask_for_run(
            context,
            cell,
            job_name,
            lambda where: ingest_lock(where, keys.product.name),
            next_run,
            lambda where, liveness: _stall(where, keys, liveness) or liveness.reason,
        )

    return ingest_keep_alive


def _stall(cell: Cell, keys: Keys, liveness: Liveness) -> str | None:
    """Return what is to be said of a run that lives and does not go on, and raise the alert."""
    now = utc_now()
    if liveness.owner is None:
        run, stall = liveness.lockless(now, STALLED_AFTER), _LOCKLESS
    else:
        run, stall = liveness.owner, describe_stall(cell, keys.product.name, now)
    if run is None or stall is None:
        return None
    reason = f"{run} is at work: {stall}"
    alert_stalled(cell, keys.product, reason, run, now)
    return reason


def _why_not(instance: dg.DagsterInstance, cell: Cell, keys: Keys, job_name: str) -> str | None:
    """Return why the next run has to wait, None if it has not; failures of one kind become an alert."""
    row = failures_in_a_row(run_ends(instance, job_name))
    repeated = repeated_failure(row)
    if repeated is not None:
        alert_failing(cell, keys.product, repeated)
    left = pause_left(row, freshness_objective(keys.product), utc_now())
    if not left:
        return awaits_topic(cell, keys.product)
    return (
        f"{len(row)} runs in a row failed and committed nothing, the last by: {row[0].kind}; "
        f"the next may start in {left.total_seconds():.0f} s."
    )
