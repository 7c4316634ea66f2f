"""Building a plan of hours from plain Python: one Spark session, each hour audited and published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from great_expectations import ExpectationSuite
from pyspark.sql import DataFrame

from pipeline.batch.hour import build_hour
from pipeline.batch.jars import spark_jars
from pipeline.batch.model import Publication
from pipeline.batch.plan import HourBuild, HoursPlan
from pipeline.batch.session import start_session
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets.expectations import suite
from pipeline.settings import load_settings
from quality.audit import AuditResult, audit


@dataclass(frozen=True)
class Built:
    """What became of one planned hour.

    Attributes:
        publication: None where the audit failed.
        verdict: the audit's; None for an hour without rows, and for one that was found published.
    """

    build: HourBuild
    publication: Publication | None
    verdict: AuditResult | None


def build_hours(cell: Cell, product: Product, plan: HoursPlan, run_id: str) -> Iterator[Built]:
    """Build a plan's hours one by one, oldest first, yielding each as it is settled.

    A failed audit does not stop the others. The caller holds the product's batch lock. Starts Spark
    with the first hour, and stops it at the end.

    Raises: as `build_hour`; `JarMissingError` if Spark's jars were never fetched.
    """
    if plan.source_snapshot_id is None or not plan.builds:
        return
    aggregates = {aggregate.name: aggregate for aggregate in product.aggregates}
    spark = start_session(cell, spark_jars(load_settings().cache))
    try:
        for build in plan.builds:
            aggregate = aggregates[build.aggregate]
            verdicts: list[AuditResult] = []
            outcome = build_hour(
                spark,
                cell,
                product,
                aggregate,
                build.hour,
                partial(_judge, suite(aggregate), verdicts),
                source_snapshot_id=plan.source_snapshot_id,
                run_id=run_id,
            )
            publication = outcome if isinstance(outcome, Publication) else None
            yield Built(build, publication, verdicts[-1] if verdicts else None)
    finally:
        spark.stop()


def _judge(
    expectations: ExpectationSuite, verdicts: list[AuditResult], frame: DataFrame
) -> AuditResult:
    verdicts.append(audit(frame, expectations))
    return verdicts[-1]
