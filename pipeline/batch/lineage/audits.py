"""Audits of hours as OpenLineage runs of their own, each part of the hour's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from openlineage.client.event_v2 import RunEvent, RunState

from pipeline.batch.context import RangeContext
from pipeline.batch.lineage.hours import hour_run
from pipeline.batch.model import Staged, Verdict
from pipeline.batch.wap.audit_frame import AuditFunction, StagedRows
from pipeline.clock import HOUR
from pipeline.lineage.datasets import table_input
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.facets.assertions import (
    assertions_facet,
    assertions_of,
    input_metrics,
    null_counts,
)
from pipeline.lineage.facets.common import PRODUCER, run_uuid
from pipeline.lineage.jobs import table_job
from pipeline.lineage.runs import SPARK, run_of
from pipeline.lineage.told import Ending, ending


def audit_event(
    state: RunState,
    context: RangeContext,
    staged: Staged,
    hour: datetime,
    at: datetime,
    *,
    verdict: Verdict | None = None,
    why: str | None = None,
) -> RunEvent:
    """Return an event of the audit of one hour of a staging; `verdict` is known at its end.

    An audit that finds fault COMPLETEs: it is the hour's run that fails.
    """
    rows = {one.hour: one.rows for one in staged.hours}.get(hour)
    job = table_job(context.cell, context.product, context.derived_table, "audit")
    run_id = run_uuid(context.cell.name, job.name, hour.isoformat(), staged.wap_id)
    found = {}
    if verdict is not None:
        found = {
            "dataQualityAssertions": assertions_facet(assertions_of(verdict.results)),
            "dataQualityMetrics": input_metrics(rows or 0, null_counts(verdict.results)),
        }
    return RunEvent(
        eventTime=at.isoformat(),
        producer=PRODUCER,
        eventType=state,
        run=run_of(
            run_id, SPARK, parent=hour_run(context, hour), nominal=(hour, hour + HOUR), why=why
        ),
        job=job,
        inputs=[table_input(context.cell, staged.table, staged.snapshot_id, rows, found)],
        outputs=[],
    )


class ToldAudit:
    """An audit that tells of itself, and keeps what it said of each hour."""

    def __init__(self, context: RangeContext, audit: AuditFunction, emitter: Emitter) -> None:
        self._context = context
        self._audit = audit
        self._emitter = emitter
        self.verdicts: dict[datetime, Verdict] = {}

    def __call__(self, rows: StagedRows) -> Mapping[datetime, Verdict]:
        """Audit, as `AuditFunction` does."""
        self._tell(rows, RunState.START)
        try:
            found = self._audit(rows)
        except BaseException as error:
            self._tell(rows, ending(error).state, ending(error))
            raise
        self.verdicts.update(found)
        self._tell(rows, RunState.COMPLETE)
        return found

    def _tell(self, rows: StagedRows, state: RunState, how: Ending | None = None) -> None:
        at, is_over = self._context.clock(), state is RunState.COMPLETE
        self._emitter.emit(
            *(
                audit_event(
                    state,
                    self._context,
                    rows.staged,
                    hour,
                    at,
                    verdict=self.verdicts.get(hour) if is_over else None,
                    why=None if how is None else how.why,
                )
                for hour in rows.hours
            )
        )
