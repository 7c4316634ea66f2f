"""Auditing a staged table with Great Expectations, before any reader sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from pipeline.contract.model import DerivedTable
from pipeline.contract.targets import expectations
from quality.context import RESULT_FORMAT, open_batch
from quality.drift import (
    NO_DRIFT,
    Distribution,
    DriftReferences,
    distributions,
    drift_references,
)
from quality.redaction import is_private, redacted, redacted_message

_OBSERVED_CHARACTERS = 200
_NOT_EXPECTED = ("column", "partition_object", "tail_weight_holdout")


@dataclass(frozen=True)
class ExpectationResult:
    """What one expectation found.

    Attributes:
        type: the expectation's snake_case type.
        description: the contract's words on it; may be empty.
        column: the column or columns it is about, comma separated; None for the whole table.
        expected: its arguments, as text.
        observed: what was found, as text, cut short; for an expectation that could not be evaluated,
            why not. No value of a personal column.
        success: whether it was met. One that could not be evaluated was not; one on drift that has
            nothing to compare with was.
        unexpected: rows that broke it; None where it does not count rows.
    """

    type: str
    description: str
    column: str | None
    expected: str
    observed: str
    success: bool
    unexpected: int | None


@dataclass(frozen=True)
class AuditResult:
    """What an audit found. A suite of no expectations passes.

    Attributes:
        distributions: of the columns whose drift the contract bounds.
        validation: Great Expectations' own result, for its Data Docs; no value of a personal column.
    """

    results: tuple[ExpectationResult, ...]
    distributions: tuple[Distribution, ...]
    validation: ExpectationSuiteValidationResult

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return all(result.success for result in self.results)

    @property
    def met(self) -> int:
        """How many expectations were met."""
        return sum(result.success for result in self.results)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was not met: the expectations and how many rows broke them; no value of any row."""
        return tuple(_reason(result) for result in self.failed)

    @property
    def failed(self) -> tuple[ExpectationResult, ...]:
        """The expectations that were not met."""
        return tuple(result for result in self.results if not result.success)


def audit(frame: DataFrame, table: DerivedTable) -> AuditResult:
    """Hold the rows of `frame`, one hour of `table`, to everything that its contract expects of them.

    `frame` is read several times. Queries run in its own session, where they find the views that
    `pipeline.batch.wap.audit_frame` makes; drift is told from the view `previous`. Any number may run at
    once, each on a session of its own. Changes nothing but that session, and sends nothing anywhere.
    An expectation that cannot be evaluated (an unknown column, a wrong type) is a failed one, not an
    error.
    """
    drifts = drift_references(frame, table.drift)
    further = [expectation for _, expectation in drifts.compared]
    suite = expectations.suite(table, further, fields_inside(frame.schema))
    validation = open_batch(frame).batch.validate(suite, result_format=RESULT_FORMAT)
    return audit_result(table, validation, drifts)


def audit_result(
    table: DerivedTable,
    validation: ExpectationSuiteValidationResult,
    drifts: DriftReferences = NO_DRIFT,
) -> AuditResult:
    """Return what Great Expectations' `validation` of one hour says; it is stripped of personal values."""
    personal = [column.name for column in table.columns if column.personal]
    for each in validation.results:
        _strip(each, personal)
    return AuditResult(
        results=(*(_result(each) for each in validation.results), *_not_compared(drifts)),
        distributions=distributions(drifts, validation.results),
        validation=validation,
    )


def fields_inside(schema: StructType) -> tuple[str, ...]:
    """Return the fields inside records, as Great Expectations names them."""
    return tuple(_inside(schema))


def _inside(schema: StructType, path: str = "") -> Iterator[str]:
    for field in schema:
        if isinstance(field.dataType, StructType):
            name = f"{path}{field.name}"
            for child in field.dataType:
                yield f"{name}.`{child.name}`" if "." in child.name else f"{name}.{child.name}"
            yield from _inside(field.dataType, f"{name}.")


def _strip(result: ExpectationValidationResult, personal: list[str]) -> None:
    type_, kwargs = _stated(result)
    private = is_private(type_, kwargs, personal)
    result.result = redacted(type_, result.result or {}, private=private)
    message = raised(result.exception_info or {})
    result.exception_info = {
        "raised_exception": message is not None,
        "exception_message": None
        if message is None
        else redacted_message(message, private=private),
        # It names files of this machine, and may quote what it failed on.
        "exception_traceback": None if message is None else "",
    }


def raised(info: dict[str, Any]) -> str | None:
    """Return the message of what an evaluation raised: given once, or by metric."""
    for error in (info, *info.values()):
        if isinstance(error, dict) and error.get("raised_exception"):
            return str(error.get("exception_message"))
    return None


def _stated(result: ExpectationValidationResult) -> tuple[str, dict[str, Any]]:
    configuration = result.expectation_config
    if configuration is None:
        return "unknown", {}
    kwargs = {key: value for key, value in configuration.kwargs.items() if key != "batch_id"}
    return configuration.type, kwargs


def _result(result: ExpectationValidationResult) -> ExpectationResult:
    type_, kwargs = _stated(result)
    configuration = result.expectation_config
    return ExpectationResult(
        type=type_,
        description=(configuration.description or "") if configuration else "",
        column=_column(kwargs),
        expected=", ".join(
            f"{key}={value}" for key, value in kwargs.items() if not key.startswith(_NOT_EXPECTED)
        ),
        observed=_observed(result)[:_OBSERVED_CHARACTERS],
        success=bool(result.success),
        unexpected=(result.result or {}).get("unexpected_count"),
    )


def _not_compared(drifts: DriftReferences) -> list[ExpectationResult]:
    return [
        ExpectationResult(
            type=expectations.DRIFT,
            description="",
            column=limit.column,
            expected=f"threshold={limit.most}",
            observed=reason,
            success=True,
            unexpected=None,
        )
        for limit, reason in drifts.not_compared
    ]


def _reason(result: ExpectationResult) -> str:
    about = f" of {result.column}" if result.column else ""
    broken = f": {result.unexpected} rows" if result.unexpected else ""
    return f"{result.description or result.type}{about}{broken}"


def _column(kwargs: dict[str, Any]) -> str | None:
    if "column" in kwargs:
        return str(kwargs["column"])
    names = kwargs.get("column_list") or [
        kwargs[key] for key in ("column_A", "column_B") if key in kwargs
    ]
    return ", ".join(str(name) for name in names) or None


def _observed(result: ExpectationValidationResult) -> str:
    found: dict[str, Any] = result.result or {}
    message = (result.exception_info or {}).get("exception_message")
    if message:
        return str(message)
    if "observed_value" in found:
        return str(found["observed_value"])
    if "unexpected_count" in found:
        examples = ", ".join(str(value) for value in found.get("partial_unexpected_list", [])[:3])
        counted = f"{found['unexpected_count']} of {found.get('element_count', '?')} rows"
        return f"{counted} ({examples})" if examples else counted
    return ""
