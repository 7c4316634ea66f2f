"""Auditing the hours of a staging: told of all together where that can be, and each by its own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipeline.batch.wap.audit_frame import StagedRows
from pipeline.contract.model import DerivedTable
from quality.audit import AuditResult, audit
from quality.counting.range_audit import RangeAudit


def audit_hours(rows: StagedRows, table: DerivedTable) -> Mapping[datetime, AuditResult]:
    """Hold each hour of `rows` to everything that the contract of `table` expects of it.

    An hour's result is that of `audit` of it alone. What numbers of rows tell, and drift of numbers, is
    counted of all hours by few queries; only expectations of other kinds are evaluated hour by hour. An hour
    that breaks something is looked at by itself, for examples, and so is the next one, whose drift is told
    from another hour then.
    """
    together = RangeAudit.of(rows, table) if rows.hours else None
    found: dict[datetime, AuditResult] = {}
    for hour in rows.hours:
        passed = [one for one, before in found.items() if before.passed]
        result = None if together is None else together.passing(hour, passed)
        found[hour] = result or audit(rows.alone(hour, passed), table)
    return found
