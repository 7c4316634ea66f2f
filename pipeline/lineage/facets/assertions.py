"""What audits and gates found, as assertions and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    data_quality_assertions_dataset,
    data_quality_metrics_dataset,
    data_quality_metrics_input_dataset,
)

from pipeline.contract.targets.rules import CompiledRule

Assertion = data_quality_assertions_dataset.Assertion
_NOT_NULL = "expect_column_values_to_not_be_null"


class Finding(Protocol):
    """What one expectation of an audit found; no value of any row."""

    @property
    def type(self) -> str:
        """The expectation's snake_case type."""

    @property
    def description(self) -> str:
        """The contract's words on it; may be empty."""

    @property
    def column(self) -> str | None:
        """The column that it is about; None for the whole table."""

    @property
    def expected(self) -> str:
        """Its arguments."""

    @property
    def success(self) -> bool:
        """Whether it was met."""

    @property
    def unexpected(self) -> int | None:
        """Rows that broke it; None where it does not count rows."""


def assertions_of(findings: Iterable[Finding]) -> list[Assertion]:
    """Return the findings of an audit, each of which keeps an hour from being published."""
    return [
        Assertion(
            assertion=one.type,
            success=one.success,
            column=one.column,
            severity="error",
            description=one.description or None,
            expected=one.expected or None,
            actual=None if one.unexpected is None else f"{one.unexpected} rows",
        )
        for one in findings
    ]


def rules_as_assertions(
    rules: Iterable[CompiledRule], broken: Mapping[str, int]
) -> list[Assertion]:
    """Return business rules, which keep no row out, with how many rows broke each, by its label."""
    return [
        Assertion(
            assertion=one.name,
            success=not broken.get(one.label),
            column=one.column,
            severity="warn",
            name=one.label,
            description=one.description or None,
            actual=f"{broken.get(one.label, 0)} rows",
        )
        for one in rules
    ]


def null_counts(findings: Iterable[Finding]) -> Mapping[str, int]:
    """Return how many nulls columns have, of those that an audit has counted."""
    return {
        one.column: one.unexpected
        for one in findings
        if one.type == _NOT_NULL and one.column is not None and one.unexpected is not None
    }


def assertions_facet(assertions: list[Assertion]) -> InputDatasetFacet:
    """Return the facet `dataQualityAssertions`."""
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=assertions)


def input_metrics(rows: int, nulls: Mapping[str, int]) -> InputDatasetFacet:
    """Return the facet `dataQualityMetrics` of what a run has looked at."""
    return data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
        rowCount=rows,
        columnMetrics={
            column: data_quality_metrics_input_dataset.ColumnMetrics(nullCount=count)
            for column, count in nulls.items()
        },
    )


def dataset_metrics(rows: int, nulls: Mapping[str, int]) -> DatasetFacet:
    """Return the facet `dataQualityMetrics` of what a run has written."""
    return data_quality_metrics_dataset.DataQualityMetricsDatasetFacet(
        rowCount=rows,
        columnMetrics={
            column: data_quality_metrics_dataset.ColumnMetrics(nullCount=count)
            for column, count in nulls.items()
        },
    )
