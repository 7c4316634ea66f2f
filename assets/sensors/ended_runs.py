"""How a job's last runs ended, as the engine's restart rule wants to see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from assets.runs import ENDED
from pipeline.supervision.restart import RunEnd

PROCESS_ENDED = "process ended"
"""The kind of failure of a run that could not say why."""
_LOOKED_AT = 8


def run_ends(instance: dg.DagsterInstance, job_name: str) -> Iterator[RunEnd]:
    """Yield how the job's last runs ended, newest first, eight at most; each is looked up when asked for.

    A run has progressed if it has logged a materialization: an ingest does so at its first commit.
    """
    records = instance.get_run_records(
        dg.RunsFilter(job_name=job_name, statuses=ENDED), limit=_LOOKED_AT
    )
    for record in records:
        run = record.dagster_run
        ended_at = datetime.fromtimestamp(record.end_time or 0.0, UTC)
        if run.status is not dg.DagsterRunStatus.FAILURE:
            yield RunEnd(run.run_id, ended_at, failed=False)
            continue
        kind, detail = _error(instance, run.run_id)
        progressed = _last(instance, run.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION)
        yield RunEnd(
            run.run_id,
            ended_at,
            failed=True,
            progressed=progressed is not None,
            kind=kind,
            detail=detail,
        )


def _error(instance: dg.DagsterInstance, run_id: str) -> tuple[str, str]:
    """Return the name and the message of the error that a step of the run ended with."""
    step = _last(instance, run_id, dg.DagsterEventType.STEP_FAILURE)
    error = step.step_failure_data.error if step else None
    if error is None:
        run = _last(instance, run_id, dg.DagsterEventType.RUN_FAILURE)
        return PROCESS_ENDED, (run.message or "") if run else ""
    # Dagster's own error stands around that of a step.
    if (error.cls_name or "").startswith("Dagster") and error.cause is not None:
        error = error.cause
    return error.cls_name or "", error.message.strip()


def _last(
    instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType
) -> dg.DagsterEvent | None:
    found = instance.get_records_for_run(run_id, of_type=kind, limit=1, ascending=False).records
    return found[0].event_log_entry.dagster_event if found else None
