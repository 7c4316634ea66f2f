"""The hourly run: builds a range of hours of one aggregate, audited before they are published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import dagster as dg
from pyspark.sql import DataFrame, SparkSession

from assets.keys import HOURS_TAG, Keys
from assets.partitions import to_hour
from assets.steps.audits import audit_result, hour_published
from pipeline.batch.hour import build_hour
from pipeline.batch.model import Publication
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

    Raises: as `prepare` (an hour is open, the ledger does not balance) and `build_hour`.
    """
    product = keys.product
    suite = expectations.suite(aggregate)
    verdicts: dict[datetime, AuditResult] = {}
    hours = [to_hour(key) for key in context.partition_keys]
    # What the sensor asks for is what was not published; what a person asks for is meant.
    again = HOURS_TAG not in context.run.tags
    plan = prepare(cell, product, hours=hours, aggregates=[aggregate.name], again=again)
    source = plan.source_snapshot_id
    for build in plan.builds:
        if source is None:
            break

        def judge(frame: DataFrame, hour: datetime = build.hour) -> AuditResult:
            verdicts[hour] = audit(frame, suite)
            return verdicts[hour]

        outcome = build_hour(
            spark,
            cell,
            product,
            aggregate,
            build.hour,
            judge,
            source_snapshot_id=source,
            run_id=context.run_id,
        )
        if isinstance(outcome, Publication):
            yield hour_published(keys, aggregate, outcome, code_version)
        else:
            context.log.error(f"The audit of {build.hour:%Y-%m-%dT%H} failed; not published.")
    yield audit_result(keys, aggregate, verdicts)
