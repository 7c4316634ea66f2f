"""Headwater: staged, audited by Great Expectations, published, recorded; the feature table derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from benchmarks.hourly.contestants import TABLES, Guarantees
from benchmarks.hourly.files import files_of_hour
from benchmarks.hourly.prepare import SPARK_OF_HEADWATER, plan_of, viewing_product
from benchmarks.hourly.steps import AUDIT, SHOW, Steps
from pipeline.batch.execute import execute
from pipeline.batch.wap.audit_frame import AuditFunction
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, published_table
from pipeline.control.publications import Publication
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import start_session
from quality.auditor import RunAuditor

TITLE = "Headwater"
GUARANTEES = Guarantees(
    whole="the whole hour at once, or what was there; a crash at any point is made good",
    audited="every expectation of the contracts, on the staged rows, before readers see any",
    late="found by counting, built again with what depends on it",
    known="every build of the feature is kept, with when it became known",
)
RUN_ID = "bench"


class Builder:
    """Builds the hour in one Spark session."""

    def __init__(self, cell: Cell, hour: datetime) -> None:
        self._hour = hour
        self._product = viewing_product()
        self._spark = start_session(cell, spark_jars(load_settings().cache, cell))

    def run(self, cell: Cell) -> Mapping[str, Any]:
        """Build it, and return what its steps took."""
        audits = RunAuditor(cell, self._product.name, RUN_ID)
        found = {}
        with Steps(self._spark) as steps:

            def auditor(table: DerivedTable) -> AuditFunction:
                return steps.timed(AUDIT, audits(table))

            plan = plan_of(cell, self._product, [self._hour], TABLES)
            done = execute(self._spark, cell, self._product, plan, auditor, run_id=RUN_ID)
            for one in done:
                if not isinstance(one.outcome, Publication):
                    raise RuntimeError(
                        f"{one.build.derived_table} was not published: {one.outcome}"
                    )
                steps.timed(SHOW, audits.publish)(one.build.derived_table, one.build.hour)
                found[one.build.derived_table] = steps.taken()
            audits.finish()
        return found

    def close(self) -> None:
        """Stop Spark."""
        self._spark.stop()


def start(cell: Cell, hour: datetime) -> Builder:
    """Start Spark as a cell has it by default: with Comet."""
    return Builder(replace(cell, spark=SPARK_OF_HEADWATER), hour)


def files(cell: Cell, hour: datetime) -> dict[str, list[str]]:
    """Return the files that main has; a feature's are those of its history."""
    product = viewing_product()
    return {
        table.name: files_of_hour(cell, published_table(product, table), hour)
        for table in product.derived_tables
        if table.name in TABLES
    }
