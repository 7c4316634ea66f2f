"""A job's runs, as the engine's liveness check wants to see them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from pipeline.clock import utc_now
from pipeline.supervision.liveness import (
    Liveness,
    RunPhase,
    UnfinishedRun,
    backoff_after,
    check_liveness,
)
from pipeline.supervision.locks import lock_holder

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
_FAILURES_LOOKED_AT = 8


def check_runs(
    instance: dg.DagsterInstance, job_name: str, lock: Path, cursor: str | None
) -> Liveness:
    """Check the unfinished runs of a job by its lock, and report the dead ones as failed.

    `cursor` is `to_cursor` of the last check.
    """
    runs = {
        run.run_id: run
        for run in instance.get_runs(
            dg.RunsFilter(job_name=job_name, statuses=list(_PHASES)), limit=100
        )
    }
    liveness = check_liveness(
        lock_holder(lock),
        [UnfinishedRun(run.run_id, _PHASES[run.status]) for run in runs.values()],
        _suspects(cursor),
        utc_now(),
    )
    for run_id in liveness.dead:
        message = f"The process of this run is gone: it does not hold {lock.name}."
        if runs[run_id].status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(runs[run_id], message=message)
        else:
            instance.report_run_failed(runs[run_id], message=message)
    return liveness


def to_cursor(liveness: Liveness) -> str:
    """Return the sensor cursor that carries a judgement's suspects to the next look."""
    return json.dumps({run: since.isoformat() for run, since in liveness.suspects.items()})


def pause_left(instance: dg.DagsterInstance, job_name: str) -> timedelta:
    """Return how long to wait before the job is launched again, after its last failures in a row."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=job_name, statuses=ENDED), limit=_FAILURES_LOOKED_AT
    )
    failures = 0
    for record in records:
        if record.dagster_run.status is not dg.DagsterRunStatus.FAILURE:
            break
        failures += 1
    if not failures or records[0].end_time is None:
        return timedelta(0)
    ended = datetime.fromtimestamp(records[0].end_time, UTC)
    return max(ended + backoff_after(failures) - utc_now(), timedelta(0))


def _suspects(cursor: str | None) -> dict[str, datetime]:
    if not cursor:
        return {}
    return {run: datetime.fromisoformat(since) for run, since in json.loads(cursor).items()}
