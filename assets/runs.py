"""Runs as Dagster knows them: whose they are, and which of a job's unfinished ones live."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import dagster as dg

from assets.dagster_private.runs import ASSET_JOB, GRPC_INFO_TAG
from assets.jobs import BATCH
from assets.keys import CELL_TAG, KIND_TAG, PARTITION_TAG, RANGE_START_TAG
from pipeline.clock import utc_now
from pipeline.supervision.liveness import (
    Liveness,
    ProcessState,
    RunPhase,
    UnfinishedRun,
    check_liveness,
)
from pipeline.supervision.locks import Lock, lock_holder
from pipeline.supervision.processes import is_listening, process_state

_PHASES = {
    dg.DagsterRunStatus.QUEUED: RunPhase.WAITING,
    dg.DagsterRunStatus.NOT_STARTED: RunPhase.STARTING,
    dg.DagsterRunStatus.STARTING: RunPhase.STARTING,
    dg.DagsterRunStatus.STARTED: RunPhase.RUNNING,
    dg.DagsterRunStatus.CANCELING: RunPhase.RUNNING,
}
ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_FIRST_EVENTS = 10


def cell_of(run: dg.DagsterRun) -> str | None:
    """Return the cell that a run is of; None for runs of other code.

    Those of jobs say it by a tag. Those that a person launches from an asset's page, and backfills, have
    none: their assets say it.
    """
    tagged = run.tags.get(CELL_TAG)
    if tagged is not None or run.job_name != ASSET_JOB:
        return tagged
    checks = run.asset_check_selection or ()
    keys = [*(run.asset_selection or ()), *(check.asset_key for check in checks)]
    return next((key.path[0] for key in keys), None)


def builds_hours(run: dg.DagsterRun) -> bool:
    """Return whether a run was to build hours, by a job or by partitions that a person chose."""
    return run.tags.get(KIND_TAG) == BATCH or bool({PARTITION_TAG, RANGE_START_TAG} & set(run.tags))


def check_runs(
    instance: dg.DagsterInstance, job_name: str, lock: Lock, cursor: str | None
) -> Liveness:
    """Check the unfinished runs of a job by lock and process, and report the dead ones as failed.

    `cursor` is `to_cursor` of the last check.
    """
    runs = instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=list(_PHASES)), limit=100)
    owner = lock_holder(lock)
    liveness = check_liveness(
        owner,
        [UnfinishedRun(run.run_id, _PHASES[run.status], _process(instance, run)) for run in runs],
        _suspects(cursor),
        utc_now(),
    )
    for run_id in liveness.dead:
        # Again: one that has ended meanwhile has said so before its process was gone.
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            continue
        message = f"The process of this run is gone: it does not hold {lock.path.name}."
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, message=message)
        else:
            instance.report_run_failed(run, message=message)
    return liveness


def to_cursor(liveness: Liveness) -> str:
    """Return the sensor cursor that carries a judgement's suspects to the next look."""
    return json.dumps({run: since.isoformat() for run, since in liveness.suspects.items()})


def _process(instance: dg.DagsterInstance, run: dg.DagsterRun) -> ProcessState:
    """Tell what is known of the run's process.

    It records its number as soon as it has the run. Until then the code server that was asked to start it
    answers for it: that reports a child that ends as failed, within a second.
    """
    found = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT, limit=_FIRST_EVENTS
    )
    for record in found.records:
        event = record.event_log_entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid is not None:
            recorded_at = datetime.fromtimestamp(record.event_log_entry.timestamp, UTC)
            return process_state(int(str(pid.value)), recorded_at)
    server = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    address = server.get("socket") or (server.get("host"), server.get("port"))
    is_known = server.get("socket") or server.get("port")
    if is_known and is_listening(address, _asked_at(instance, run)):
        return ProcessState.ALIVE
    return ProcessState.UNKNOWN


def _asked_at(instance: dg.DagsterInstance, run: dg.DagsterRun) -> datetime:
    """Return when a code server was asked to start the run; now where that was not logged."""
    found = instance.get_records_for_run(
        run.run_id, of_type=dg.DagsterEventType.PIPELINE_STARTING, limit=1
    )
    for record in found.records:
        return datetime.fromtimestamp(record.event_log_entry.timestamp, UTC)
    return utc_now()


def _suspects(cursor: str | None) -> dict[str, datetime]:
    if not cursor:
        return {}
    return {run: datetime.fromisoformat(since) for run, since in json.loads(cursor).items()}
