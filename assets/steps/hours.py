"""The hourly run: builds a range of hours of one aggregate, audited before they are published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import dagster as dg
from pyspark.sql import DataFrame, SparkSession

from assets.keys import HOURS_TAG, Keys
from assets.partitions import to_hour
from assets.steps.audits import audit_result, hour_published
from pipeline.batch.carry_out import Waits, carry_out
from pipeline.batch.model import Audit, Publication
from pipeline.batch.prepare import prepare
from pipeline.cells import Cell
from pipeline.contract.model import Aggregate
from pipeline.contract.targets import expectations
from quality.audit import AuditResult, audit

Event = dg.AssetMaterialization | dg.AssetCheckResult


def build_hours(
    context: dg.AssetExecutionContext,
    spark: SparkSession,
    cell: Cell,
    keys: Keys,
    aggregate: Aggregate,
    code_version: str,
) -> Iterator[Event]:
    """Build the run's hours, yielding a materialization as each is published, and the audit last.

    Raises: as `prepare` (an hour is open, the ledger does not balance) and `carry_out`.
    """
    product = keys.product
    suite = expectations.suite(aggregate)
    verdicts: dict[datetime, AuditResult] = {}
    hours = [to_hour(key) for key in context.partition_keys]
    # What a sensor asks for is what was due; what a person asks for is meant.
    again = HOURS_TAG not in context.run.tags
    plan = prepare(cell, product, hours=hours, aggregates=[aggregate.name], again=again)

    def auditor(_table: Aggregate, hour: datetime) -> Audit:
        def judge(frame: DataFrame) -> AuditResult:
            verdicts[hour] = audit(frame, suite)
            return verdicts[hour]

        return judge

    for done in carry_out(spark, cell, product, plan, auditor, run_id=context.run_id):
        hour, outcome = done.build.hour, done.outcome
        if isinstance(outcome, Publication):
            yield hour_published(keys, aggregate, outcome, code_version)
        elif isinstance(outcome, Waits):
            context.log.warning(
                f"{hour:%Y-%m-%dT%H} waits for {outcome.table} {outcome.hour:%Y-%m-%dT%H}."
            )
        else:
            context.log.error(f"The audit of {hour:%Y-%m-%dT%H} failed; not published.")
    yield audit_result(keys, aggregate, verdicts)
