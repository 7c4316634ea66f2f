"""What Great Expectations says of every hour of a staging, by numbers that are counted of all together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from great_expectations import ExpectationSuite
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.expectations.expectation import Expectation
from great_expectations.validator.validation_statistics import calc_validation_statistics

from pipeline.batch.wap.audit_frame import StagedRows
from pipeline.contract.audit_expectations import audit_expectations
from pipeline.contract.model import DerivedTable, Drift
from pipeline.contract.targets import expectations
from quality.audit import AuditResult, audit_result, fields_inside, raised
from quality.context import RESULT_FORMAT, OpenBatch, open_batch
from quality.counting.countable import is_countable
from quality.counting.drift_hours import DriftOfHour, drift_of_hours
from quality.counting.range_queries import range_queries
from quality.drift import DriftReferences, drift_references
from quality.great_expectations_private import Judge, evaluation_order, judge_of
from quality.reference_histogram import is_number

Found = dict[int, ExpectationValidationResult]
"""The place of an expectation in the suite of an hour -> what it says. Bounds of drift come last."""


@dataclass(frozen=True)
class RangeAudit:
    """What was counted of the hours of `rows`, all together.

    Attributes:
        suite: what `table` states of an hour, but for drift.
        counted: what could be counted, of all hours.
        judges: by place, of what could be counted.
        drift: of the columns that are numbers, by hour.
        others: bounds of drift of what is no number.
    """

    rows: StagedRows
    table: DerivedTable
    suite: Sequence[Expectation]
    batch: OpenBatch
    counted: ExpectationSuiteValidationResult
    judges: Mapping[int, Judge]
    drift: Mapping[datetime, DriftOfHour]
    others: Sequence[Drift]

    @classmethod
    def of(cls, rows: StagedRows, table: DerivedTable) -> RangeAudit | None:
        """Count all hours of `rows`, at least one; None where something does not fit them."""
        frame = rows.together()
        of_range = range_queries(rows, frame, table)
        batch = open_batch(frame, rows.row_counts, of_range)
        suite = expectations.suite(table, (), fields_inside(frame.schema)).expectations
        countable = {
            place: suite[place]
            for place, one in enumerate(audit_expectations(table))
            if is_countable(one, of_range)
        }
        counted, found = _evaluate(batch, table, countable)
        if any(raised(one.exception_info or {}) for one in counted.results):
            return None
        judges = {
            place: judge_of(one.expectation_config.to_domain_obj(), batch.engine, RESULT_FORMAT)
            for place, one in found.items()
            if one.expectation_config is not None
        }
        numbers = [limit for limit in table.drift if is_number(frame, limit.column)]
        others = [limit for limit in table.drift if limit not in numbers]
        return cls(
            rows, table, suite, batch, counted, judges, drift_of_hours(rows, numbers), others
        )

    def passing(self, hour: datetime, passed: Collection[datetime]) -> AuditResult | None:
        """Return the result of an hour that meets everything; None if it may not.

        `passed` are the hours before it that do. What could not be counted is asked of the hour by itself.
        """
        drift = self.drift[hour]
        if drift.references.limits and drift.before != self.rows.hour_before(hour, passed):
            return None
        metrics = self.batch.counts.of_hour(hour)
        try:
            found = {place: judge(metrics) for place, judge in self.judges.items()}
            found |= {self._place(limit): told for limit, told in drift.judged(self.batch)}
        except (GreatExpectationsError, KeyError):
            return None
        drifts = drift.references
        left = {place: one for place, one in enumerate(self.suite) if place not in self.judges}
        if _all_met(found) and (left or self.others):
            frame = self.rows.alone(hour, passed)
            more = drift_references(frame, self.others)
            left |= {self._place(limit): one for limit, one in more.compared}
            found |= _evaluate(open_batch(frame), self.table, left)[1]
            drifts = drifts.beside(more, self.table.drift)
        return self._result(found, drifts) if _all_met(found) else None

    def _place(self, limit: Drift) -> int:
        return len(self.suite) + self.table.drift.index(limit)

    def _result(self, found: Found, drifts: DriftReferences) -> AuditResult:
        results = _in_order(found)
        statistics = calc_validation_statistics(results)
        validation = ExpectationSuiteValidationResult(
            results=results,
            success=statistics.success,
            suite_name=self.counted.suite_name,
            statistics={
                "evaluated_expectations": statistics.evaluated_expectations,
                "successful_expectations": statistics.successful_expectations,
                "unsuccessful_expectations": statistics.unsuccessful_expectations,
                "success_percent": statistics.success_percent,
            },
            meta=dict(self.counted.meta),
            batch_id=self.counted.batch_id,
        )
        return audit_result(self.table, validation, drifts)


def _all_met(found: Found) -> bool:
    return all(one.success for one in found.values())


def _in_order(found: Found) -> list[ExpectationValidationResult]:
    columns = {
        place: one.expectation_config and one.expectation_config.kwargs.get("column")
        for place, one in found.items()
    }
    return [found[place] for place in evaluation_order(columns)]


def _evaluate(
    batch: OpenBatch, table: DerivedTable, asked: Mapping[int, Expectation]
) -> tuple[ExpectationSuiteValidationResult, Found]:
    """Return what Great Expectations says of `asked`, by place; where one raises, no place is certain."""
    suite = ExpectationSuite(table.name, [asked[place] for place in sorted(asked)])
    validation = batch.batch.validate(suite, result_format=RESULT_FORMAT)
    columns = {place: one.configuration.kwargs.get("column") for place, one in asked.items()}
    return validation, dict(zip(evaluation_order(columns), validation.results, strict=True))
