"""What sensors have in common that keep at most one run of a job at work."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from assets.runs import check_runs, to_cursor
from pipeline.cells import Cell, CellNotFoundError
from pipeline.supervision.liveness import Liveness
from pipeline.supervision.locks import Lock
from resources.cell import CellResource


def ask_for_run(
    context: dg.SensorEvaluationContext,
    cell: CellResource,
    job_name: str,
    lock_of: Callable[[Cell], Lock],
    next_run: Callable[[Cell], dg.RunRequest | dg.SkipReason],
    while_busy: Callable[[Cell, Liveness], str] = lambda _, liveness: liveness.reason,
) -> dg.SensorResult:
    """Return what `next_run` says, or why nothing is asked while a run of the job is at work.

    Who is at work is told by the lock that `lock_of` names and by the runs' processes; runs whose process is
    gone are reported as failed. Without a cell nothing is looked at.
    """
    try:
        where = cell.load()
    except CellNotFoundError as error:
        return dg.SensorResult(skip_reason=str(error))
    liveness = check_runs(context.instance, job_name, lock_of(where), context.cursor)
    cursor = to_cursor(liveness)
    if liveness.busy:
        return dg.SensorResult(skip_reason=while_busy(where, liveness), cursor=cursor)
    found = next_run(where)
    if isinstance(found, dg.SkipReason):
        return dg.SensorResult(skip_reason=found, cursor=cursor)
    return dg.SensorResult(run_requests=[found], cursor=cursor)
