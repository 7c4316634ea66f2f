"""The hourly run: builds a range of hours of a product's derived tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from pipeline.errors import HeadwaterError
from quality.audit import AuditResult, audit

Event = dg.AssetMaterialization | dg.AssetCheckResult


def build_hours(
    context: dg.AssetExecutionContext,
    spark: SparkSession,
    cell: Cell,
    keys: Keys,
    code_versions: Mapping[str, str],
) -> Iterator[Event]:
    """Build the run's hours, yielding a materialization as each is published, and the audits last.

    Raises: as `prepare` (an hour is open, the ledger does not balance); after everything else, the
        first error that a build ended with.
    """
    product = keys.product
    tables = [
        one for one in product.aggregates if keys.aggregate(one) in context.selected_asset_keys
    ]
    suites = {table.name: expectations.suite(table) for table in tables}
    verdicts: dict[str, dict[datetime, AuditResult]] = {table.name: {} for table in tables}
    # What a sensor asks for is what was due; what a person asks for is meant.
    plan = prepare(
        cell,
        product,
        hours=[to_hour(key) for key in context.partition_keys],
        aggregates=[table.name for table in tables],
        again=HOURS_TAG not in context.run.tags,
    )

    def auditor(table: Aggregate, hour: datetime) -> Audit:
        def judge(frame: DataFrame) -> AuditResult:
            verdicts[table.name][hour] = audit(frame, suites[table.name])
            return verdicts[table.name][hour]

        return judge

    failed: HeadwaterError | None = None
    for done in carry_out(spark, cell, product, plan, auditor, run_id=context.run.run_id):
        outcome = done.outcome
        what = f"{done.build.aggregate} {done.build.hour:%Y-%m-%dT%H}"
        if isinstance(outcome, Publication):
            table = next(one for one in tables if one.name == done.build.aggregate)
            yield hour_published(keys, table, outcome, code_versions[table.name])
        elif isinstance(outcome, Waits):
            context.log.warning(f"{what} waits for {outcome.table} {outcome.hour:%Y-%m-%dT%H}.")
        elif isinstance(outcome, HeadwaterError):
            context.log.error(f"{what}: {outcome}")
            failed = failed or outcome
        else:
            context.log.error(f"The audit of {what} failed; not published.")
    for table in tables:
        yield audit_result(keys, table, verdicts[table.name])
    if failed is not None:
        raise failed
