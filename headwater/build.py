"""Building a plan of hours: in one Spark session, each hour audited before it is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from pyspark.sql import SparkSession

from pipeline.batch.execute import MissingInput, execute
from pipeline.batch.planning.plan import HourBuild, HoursPlan
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.control.publications import Publication
from pipeline.errors import HeadwaterError
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import start_session
from quality.audit import AuditResult
from quality.auditor import RunAuditor


@dataclass(frozen=True)
class BuiltHour:
    """What became of one planned hour.

    Attributes:
        publication: None where the audit failed, and where the hour waits.
        verdict: the audit's; None for an hour without rows, and for one that was found published.
        missing_input: the hour that it reads and that is not published; None if it was built.
        error: what its build ended with; None if it did not fail.
    """

    build: HourBuild
    publication: Publication | None
    verdict: AuditResult | None
    missing_input: MissingInput | None = None
    error: HeadwaterError | None = None


def build_hours(
    cell: Cell,
    product: Product,
    plan: HoursPlan,
    *,
    spark: SparkSession | None = None,
    run_id: str | None = None,
) -> Iterator[BuiltHour]:
    """Build a plan's hours, oldest first, those together that its ranges say, yielding each as it is done.

    Readers see an hour whole, after its audit has passed, or nothing of it. Neither a failed audit nor an
    error stops the others; whoever stops iterating ends the build after a range. The caller holds the
    product's batch lock (`hold_lock`, `batch_lock`), and has planned under it.

    `spark` is a session on an engine that has Iceberg's jars, and is left running; without it one is started
    with the first hour and stopped at the end. `run_id` stands in what is published, and is made up by
    default.

    Raises:
        JarMissingError: Spark's jars were never fetched.
        SparkUnavailableError, SparkSettingError, CatalogNotSupportedError: the session did not start.
    """
    if plan.source_snapshot_id is None or not plan.builds:
        return
    session = spark or start_session(cell, spark_jars(load_settings().cache, cell))
    run_id = run_id or str(uuid4())
    auditor = RunAuditor(cell, product.name, run_id, plan.builds)
    try:
        for done in execute(session, cell, product, plan, auditor, run_id=run_id):
            table, hour, outcome = done.build.derived_table, done.build.hour, done.outcome
            yield BuiltHour(
                done.build,
                outcome if isinstance(outcome, Publication) else None,
                auditor.publish(table, hour),
                outcome if isinstance(outcome, MissingInput) else None,
                outcome if isinstance(outcome, HeadwaterError) else None,
            )
    finally:
        auditor.finish()
        if spark is None:
            session.stop()
