"""Building a range of hours of one derived table: its stages executed, and told of as lineage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from openlineage.client.event_v2 import RunState

from pipeline.batch.context import RangeContext
from pipeline.batch.execute_stages import Progress, StageExecutor
from pipeline.batch.lineage.audits import ToldAudit
from pipeline.batch.lineage.hours import hour_completed, hour_ended, hour_started
from pipeline.batch.model import UNKNOWN_INPUTS, NotReached, RangeOutcome, Verdict
from pipeline.batch.planning.stages import HourStage, plan_recovery
from pipeline.batch.planning.staleness import fingerprint
from pipeline.batch.wap.audit_frame import AuditFunction
from pipeline.batch.wap.publish import published_unrecorded
from pipeline.control.publications import Publication
from pipeline.errors import HeadwaterError
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.told import Ending, ending
from pipeline.tables.catalog import TableMissingError, load_table


def build_range(
    context: RangeContext, stages: Sequence[HourStage], audit: AuditFunction
) -> Mapping[datetime, RangeOutcome]:
    """Publish those of a range's hours, computed from pinned inputs, whose audits pass, all at once.

    `stages` are `plan_stages`'. Does not ask whether the hours are closed or the ledger balances:
    `plan_hours` does. `audit` is not asked about an hour without rows, which is recorded with 0 rows. Hours
    of a feature table are published in its history, and then the table is derived from that.

    An hour whose audit fails leaves its main as it was, the staging (tagged) for inspection until the hour
    is staged again, and a row in `alerts`; one that had rows and has none now is refused by
    `EmptiedHourError`. Of a table that depends on its past, hours after one that is not published are
    `NotReached`: they were computed with it. Ended at any point, main has all the hours whole or as they
    were; the same call again converges: what was published and not recorded is recorded, and it is an hour's
    result if it was computed from the same inputs. OpenLineage events of hours and audits are told.

    Raises, with main as it was:
        StagingOutdatedError: the hours kept changing on main.
        Whatever `StageExecutor.execute` raises: it says nothing of any one of several hours.
    """
    emitter = Emitter(context.cell, context.run_id)
    started = context.clock()
    emitter.emit(*(hour_started(context, hour, started) for hour in context.hours))
    told_audit = ToldAudit(context, audit, emitter)
    outcomes: dict[datetime, RangeOutcome] = {}
    try:
        outcomes |= _recovered(context)
        if len(outcomes) < len(context.hours):
            left = _from_main(context.only(set(context.hours) - set(outcomes)))
            outcomes |= StageExecutor(left, told_audit).execute(stages)
    except BaseException as error:
        # Whatever ended it.
        how, now = ending(error), context.clock()
        left = context.only(set(context.hours) - set(outcomes))
        emitter.emit(*(hour_ended(context, hour, now, how) for hour in left.hours))
        raise
    _tell(context, emitter, outcomes, told_audit.verdicts)
    return outcomes


def record_unrecorded(context: RangeContext) -> Mapping[datetime, Publication]:
    """Record what a process published of the hours and did not live to record; return the last of each.

    Idempotent. Only what passed its audit is published, so all expectations count as met.
    """
    try:
        table = load_table(context.cell, context.table)
    except TableMissingError:
        return {}
    is_recorded = partial(context.publications.has, context.table)
    stages = plan_recovery(context.product, context.derived_table)
    recovered: dict[datetime, Publication] = {}
    for staged, snapshot_id in published_unrecorded(table, is_recorded, context.hours):
        met = dict.fromkeys(staged.with_rows, staged.expectations)
        begun = Progress(staged, met=met, published_snapshot_id=snapshot_id)
        outcomes = StageExecutor(context.only(staged.starts)).execute(stages, begun)
        recovered |= _published(outcomes)
    return recovered


def _recovered(context: RangeContext) -> Mapping[datetime, Publication]:
    """Return of `record_unrecorded` what was computed from what this build would be.

    Of a table that depends on its past, up to the first hour that was not.
    """
    sound: dict[datetime, Publication] = {}
    recorded = record_unrecorded(context)
    for hour in context.hours:
        found = recorded.get(hour)
        if found and (found.source_snapshot_id, found.inputs) == (
            context.source_snapshot_id,
            _inputs(context, hour),
        ):
            sound[hour] = found
        elif context.derived_table.depends_on_past:
            break
    return sound


def _from_main(context: RangeContext) -> RangeContext:
    """Return the context, its first hour computed from what main has of the one before it."""
    first = context.hours[0]
    source = replace(context.sources[first], inputs=_inputs(context, first))
    return replace(context, sources={**context.sources, first: source})


def _inputs(context: RangeContext, hour: datetime) -> str:
    inputs = context.sources[hour].inputs
    if inputs != UNKNOWN_INPUTS:
        return inputs
    return fingerprint(context.product, context.derived_table, hour, context.publications.last)


def _published(outcomes: Mapping[datetime, RangeOutcome]) -> dict[datetime, Publication]:
    return {hour: one for hour, one in outcomes.items() if isinstance(one, Publication)}


def _tell(
    context: RangeContext,
    emitter: Emitter,
    outcomes: Mapping[datetime, RangeOutcome],
    verdicts: Mapping[datetime, Verdict],
) -> None:
    published = _published(outcomes)
    schema = load_table(context.cell, context.table).schema() if published else None
    now = context.clock()
    emitter.emit(
        *(
            hour_completed(context, published[hour], schema, verdicts.get(hour))
            if hour in published
            else hour_ended(context, hour, now, _how(outcome), verdicts.get(hour))
            for hour, outcome in sorted(outcomes.items(), key=lambda one: one[0])
        )
    )


def _how(outcome: RangeOutcome) -> Ending:
    if isinstance(outcome, NotReached):
        return Ending(RunState.ABORT, "an hour before it was not published")
    why = str(outcome) if isinstance(outcome, HeadwaterError) else "the audit failed"
    return Ending(RunState.FAIL, why)
