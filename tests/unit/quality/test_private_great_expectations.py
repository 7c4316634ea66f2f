"""quality/great_expectations_private.py against the library that is installed."""

from __future__ import annotations

from typing import Any

import pytest
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.expectation import Expectation

from quality.great_expectations_private import judge_of

EXPECTATIONS = (
    ExpectColumnValuesToBeBetween(column="a", min_value=0, max_value=9, mostly=0.9),
    ExpectTableRowCountToBeBetween(min_value=10, max_value=20),
)


@pytest.mark.parametrize("expectation", EXPECTATIONS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    ("rows", "broken", "nulls"), [(10, 0, 0), (20, 2, 0), (30, 3, 1), (0, 0, 0)]
)
def test_a_verdict_is_that_of_the_public_way(
    expectation: Expectation, rows: int, broken: int, nulls: int
) -> None:
    engine = PandasExecutionEngine()
    judge = judge_of(expectation, engine, "SUMMARY")
    asked: dict[str, Any] = {
        "runtime_configuration": {"result_format": "SUMMARY"},
        "execution_engine": engine,
    }
    needed = expectation.get_validation_dependencies(**asked).metric_configurations
    values: dict[str, Any] = {
        "column_values.nonnull.unexpected_count": nulls,
        "column_values.between.unexpected_count": broken,
        "column_values.between.unexpected_values": [10] * broken,
        "table.row_count": rows,
    }
    metrics = {metric.id: values.get(metric.metric_name) for metric in needed.values()}
    wanted = expectation.metrics_validate(metrics=metrics, **asked)
    assert judge(metrics).to_json_dict() == wanted.to_json_dict()


def test_a_metric_that_lacks_is_said_so() -> None:
    judge = judge_of(EXPECTATIONS[1], PandasExecutionEngine(), "SUMMARY")
    with pytest.raises(KeyError):
        judge({})
