"""Auditing the hours of a staging: counted together, each judged by its own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.validator.validation_statistics import calc_validation_statistics

from pipeline.batch.wap.audit_frame import QUERY, StagedRows
from pipeline.contract.audit_expectations import audit_expectations
from pipeline.contract.model import DerivedTable
from pipeline.contract.model import Expectation as Stated
from pipeline.contract.targets import expectations
from quality.audit import AuditResult, audit, audit_result, fields_inside, raised
from quality.context import RESULT_FORMAT, OpenBatch, open_batch
from quality.counting.row_query import condition_of
from quality.great_expectations_private import Judge, judge_of

OF_COLUMNS = frozenset(
    {
        "expect_column_to_exist",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
        "expect_table_columns_to_match_ordered_list",
        "expect_table_columns_to_match_set",
    }
)
"""Expectations that read no row."""
OF_ROWS = frozenset(
    {
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
        "expect_column_values_to_be_null",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_not_match_regex",
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_pair_values_to_be_equal",
        "expect_column_pair_values_a_to_be_greater_than_b",
        "expect_multicolumn_sum_to_equal",
        "expect_column_values_to_be_unique",
        "expect_compound_columns_to_be_unique",
    }
)
"""Expectations that are told by how many rows of the hour break a rule, alone or beside each other."""


def audit_hours(rows: StagedRows, table: DerivedTable) -> Mapping[datetime, AuditResult]:
    """Hold each hour of `rows` to everything that the contract of `table` expects of it.

    An hour's result is that of `audit` of it alone. What numbers of rows tell is counted of all hours by one
    query; an hour that breaks something is looked at by itself, for examples, and so is every hour of
    a table with expectations of other kinds, or on drift.
    """
    counted = _count(rows, table) if rows.hours and is_told_by_counting(table) else None
    found: dict[datetime, AuditResult] = {}
    for hour in rows.hours:
        result = None if counted is None else counted.result(table, hour)
        if result is None or not result.passed:
            passed = [one for one, before in found.items() if before.passed]
            result = audit(rows.alone(hour, passed), table)
        found[hour] = result
    return found


def is_told_by_counting(table: DerivedTable) -> bool:
    """Whether numbers of rows tell all that is expected of an hour of `table`."""
    return not table.drift and all(map(_is_counted, audit_expectations(table)))


def _is_counted(expectation: Stated) -> bool:
    if QUERY in expectation.kwargs:
        return condition_of(str(expectation.kwargs[QUERY])) is not None
    return expectation.type in OF_ROWS | OF_COLUMNS


@dataclass(frozen=True)
class _Counted:
    """What Great Expectations has found of all hours together, with the numbers of each."""

    batch: OpenBatch
    validation: ExpectationSuiteValidationResult
    judges: tuple[Judge, ...]

    def result(self, table: DerivedTable, hour: datetime) -> AuditResult | None:
        """Return its verdict on one hour; None if the numbers do not tell it."""
        metrics = self.batch.counts.of_hour(hour)
        try:
            results = [judge(metrics) for judge in self.judges]
        except (GreatExpectationsError, KeyError):
            return None
        statistics = calc_validation_statistics(results)
        validation = ExpectationSuiteValidationResult(
            results=results,
            success=statistics.success,
            suite_name=self.validation.suite_name,
            statistics={
                "evaluated_expectations": statistics.evaluated_expectations,
                "successful_expectations": statistics.successful_expectations,
                "unsuccessful_expectations": statistics.unsuccessful_expectations,
                "success_percent": statistics.success_percent,
            },
            meta=dict(self.validation.meta),
            batch_id=self.validation.batch_id,
        )
        return audit_result(table, validation)


def _count(rows: StagedRows, table: DerivedTable) -> _Counted | None:
    """Validate all hours together; None where something cannot be evaluated of them."""
    frame = rows.together()
    batch = open_batch(frame, rows.hours)
    suite = expectations.suite(table, (), fields_inside(frame.schema))
    validation = batch.batch.validate(suite, result_format=RESULT_FORMAT)
    configurations = [one.expectation_config for one in validation.results]
    if any(raised(one.exception_info or {}) for one in validation.results):
        return None
    judges = tuple(
        judge_of(one.to_domain_obj(), batch.engine, RESULT_FORMAT)
        for one in configurations
        if one is not None
    )
    return _Counted(batch, validation, judges)
