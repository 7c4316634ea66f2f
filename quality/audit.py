"""Auditing a staged table with Great Expectations, before any reader sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import great_expectations as gx
from great_expectations import ExpectationSuite
from great_expectations.core import ExpectationValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig
from pyspark.sql import DataFrame

_OBSERVED_CHARACTERS = 200


@dataclass(frozen=True)
class ExpectationResult:
    """What one expectation found.

    Attributes:
        type: the expectation's snake_case type.
        description: the contract's words on it; may be empty.
        column: the column or columns it is about, comma separated; None for the whole table.
        expected: its arguments, as text.
        observed: what was found, as text, cut short; for an expectation that could not be evaluated,
            why not.
        success: whether it was met. One that could not be evaluated was not.
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
    """What an audit found. A suite of no expectations passes."""

    results: tuple[ExpectationResult, ...]

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


def audit(frame: DataFrame, suite: ExpectationSuite) -> AuditResult:
    """Evaluate every expectation of `suite` on the rows of `frame`, which is read several times.

    Changes nothing, keeps nothing, and sends nothing anywhere. An expectation that cannot be
    evaluated (an unknown column, a wrong type) is a failed one, not an error.
    """
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_spark("staged")
    # It would ask the process's first session, which knows none of the views of the rows' own.
    source.get_execution_engine().spark = frame.sparkSession
    batch = (
        source.add_dataframe_asset("hour")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": frame})
    )
    outcome = batch.validate(suite, result_format="SUMMARY")
    return AuditResult(tuple(_result(each) for each in outcome.results))


def _result(result: ExpectationValidationResult) -> ExpectationResult:
    configuration = result.expectation_config
    kwargs = {
        key: value
        for key, value in (configuration.kwargs if configuration else {}).items()
        if key != "batch_id"
    }
    found: dict[str, Any] = result.result or {}
    return ExpectationResult(
        type=configuration.type if configuration else "unknown",
        description=(configuration.description or "") if configuration else "",
        column=_column(kwargs),
        expected=", ".join(
            f"{key}={value}" for key, value in kwargs.items() if not key.startswith("column")
        ),
        observed=_observed(result, found)[:_OBSERVED_CHARACTERS],
        success=bool(result.success),
        unexpected=found.get("unexpected_count"),
    )


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


def _observed(result: ExpectationValidationResult, found: dict[str, Any]) -> str:
    if "observed_value" in found:
        return str(found["observed_value"])
    if "unexpected_count" in found:
        examples = ", ".join(str(value) for value in found.get("partial_unexpected_list", [])[:3])
        counted = f"{found['unexpected_count']} of {found.get('element_count', '?')} rows"
        return f"{counted} ({examples})" if examples else counted
    for error in (result.exception_info or {}).values():
        if isinstance(error, dict) and error.get("exception_message"):
            return str(error["exception_message"])
    return ""
