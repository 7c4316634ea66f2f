"""Building one hour of one derived table: its stages executed, and told of as lineage."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.batch.context import HourContext
from pipeline.batch.execute_stages import Progress, StageExecutor
from pipeline.batch.lineage import hour_completed, hour_failed, hour_started
from pipeline.batch.model import AuditFunction, Rejected
from pipeline.batch.planning.stages import HourStage, plan_recovery
from pipeline.batch.wap.publish import published_unrecorded
from pipeline.control.publications import Publication
from pipeline.errors import HeadwaterError
from pipeline.lineage.emitter import Emitter
from pipeline.tables.catalog import TableMissingError, load_table


def build_hour(
    context: HourContext, stages: Sequence[HourStage], audit: AuditFunction
) -> Publication | Rejected:
    """Publish an hour computed from pinned inputs, if its audit passes. `stages` are `plan_stages`'.

    Does not ask whether the hour is closed or the ledger balances: `plan_hours` does. `audit` is not
    asked about an hour without rows, which makes no snapshot and is recorded with 0 rows. An hour of
    a feature table is published in its history, and then the table is derived from that.

    A failed audit leaves main as it was, the staging (tagged) for inspection until the hour is staged
    again, and a row in `alerts`. Ended at any point, main has the hour whole or as it was; the same
    call again converges: a staging that was published and not recorded is recorded, and it is the
    result if it was computed from the same inputs. The hour's OpenLineage events go to the run's file.

    Raises, with main as it was:
        StagingOutdatedError: the hour kept changing on main.
        Whatever `StageExecutor.execute` raises.
    """
    emitter = Emitter(context.cell, context.run_id)
    emitter.emit(hour_started(context, context.clock()))
    try:
        outcome = _recovered(context) or StageExecutor(context, audit).execute(stages)
    except BaseException as error:
        # Whatever ended it; what an error without a name says may quote rows.
        reason = str(error) if isinstance(error, HeadwaterError) else type(error).__name__
        emitter.emit(hour_failed(context, context.clock(), reason))
        raise
    if isinstance(outcome, Rejected):
        emitter.emit(hour_failed(context, context.clock(), "the audit failed"))
    else:
        schema = load_table(context.cell, outcome.table).schema()
        emitter.emit(hour_completed(context, outcome, schema))
    return outcome


def record_unrecorded(context: HourContext) -> Publication | None:
    """Record what a process published of an hour and did not live to record; return the last one.

    Idempotent. Only passed audits are published, so all expectations count as met.
    """
    try:
        table = load_table(context.cell, context.table)
    except TableMissingError:
        return None
    recorded = {one.wap_id for one in context.publications if one.hour == context.hour}
    stages = plan_recovery(context.product, context.derived_table)
    recovered = None
    for staged, snapshot_id in published_unrecorded(table, recorded, context.hour):
        begun = Progress(staged, staged.expectations, snapshot_id)
        outcome = StageExecutor(context).execute(stages, begun)
        recovered = outcome if isinstance(outcome, Publication) else recovered
    return recovered


def _recovered(context: HourContext) -> Publication | None:
    """Return what `record_unrecorded` did, if it was computed from what this build would be."""
    found = record_unrecorded(context)
    if found is None:
        return None
    wanted = (context.source.snapshot_id, context.source.inputs)
    return found if (found.source_snapshot_id, found.inputs) == wanted else None
