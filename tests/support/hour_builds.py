"""Hours built by themselves, as the executor of a plan would build them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.build import build_range
from pipeline.batch.context import RangeContext
from pipeline.batch.model import NotReached, RangeOutcome, Rejected, Source, Verdict
from pipeline.batch.planning.stages import plan_stages
from pipeline.batch.wap.audit_frame import AuditFunction, StagedRows
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Product
from pipeline.control.publications import Publication, PublicationLog
from pipeline.errors import HeadwaterError
from pipeline.lineage.facets.assertions import Finding

Judge = Callable[[DataFrame], Verdict]
"""Judges the rows of one hour."""

FAILPOINTS = ("execute_stages", "wap.stage", "feature_table.derive")
"""The modules of `pipeline.batch` whose failpoints a build passes."""


@dataclass(frozen=True)
class Opinion:
    """A verdict of the test's own."""

    passed: bool = True
    met: int = 1
    reasons: tuple[str, ...] = ("Too few.",)
    results: tuple[Finding, ...] = ()


class CrashError(BaseException):
    """Ends a build where a process would be killed."""


def crash_at(patched: pytest.MonkeyPatch, place: str) -> None:
    """Have a build end at the failpoint `place`, as a kill would end it."""

    def crash(name: str) -> None:
        if name == place:
            raise CrashError(name)

    for module in FAILPOINTS:
        patched.setattr(f"pipeline.batch.{module}.failpoint", crash)


def hour_context(
    spark: SparkSession,
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    hour: datetime,
    source: Source,
) -> RangeContext:
    """Return the context of one hour, with the publications of now."""
    log = PublicationLog.read(cell, product.name)
    return RangeContext(spark, cell, product, derived_table, {hour: source}, "run", log)


def build(context: RangeContext, judge: Judge) -> Publication | Rejected:
    """Build the only hour of `context` by all of its stages."""
    (outcome,) = build_hours_of(context, each_alone(lambda _hour: judge)).values()
    if isinstance(outcome, HeadwaterError):
        raise outcome
    assert not isinstance(outcome, NotReached)
    return outcome


def build_hours_of(context: RangeContext, audit: AuditFunction) -> Mapping[datetime, RangeOutcome]:
    """Build the hours of `context` as one range by all of its stages."""
    return build_range(context, plan_stages(context.product, context.derived_table), audit)


def each_alone(judge: Callable[[datetime], Judge]) -> AuditFunction:
    """Return the audit that judges each hour by its own rows alone, the oldest first."""

    def audit(rows: StagedRows) -> Mapping[datetime, Verdict]:
        found: dict[datetime, Verdict] = {}
        for hour in rows.hours:
            passed = [one for one, verdict in found.items() if verdict.passed]
            found[hour] = judge(hour)(rows.alone(hour, passed))
        return found

    return audit
