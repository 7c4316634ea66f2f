"""Audits in tests: a table with expectations, and all that an audit says, to compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.contract.model import DerivedTable, Expectation
from quality.audit import AuditResult
from tests.support.orders import derived


def table_expecting(cases: Iterable[tuple[str, Mapping[str, Any]]]) -> DerivedTable:
    """Return a table with these expectations, each a type and its arguments."""
    asked = tuple(Expectation(type=type_, kwargs=dict(kwargs)) for type_, kwargs in cases)
    return derived("sales", "SELECT 1", expectations=asked)


def said(found: AuditResult) -> tuple[Any, ...]:
    """Return everything that an audit says, to compare; of examples there are some, in no order."""
    return found.results, found.distributions, found.validation.statistics, each_said(found)


def each_said(found: AuditResult) -> list[str]:
    """Return what an audit says of each expectation, in order."""
    return [json.dumps(one.to_json_dict(), sort_keys=True) for one in found.validation.results]
