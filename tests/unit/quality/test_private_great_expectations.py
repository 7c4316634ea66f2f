"""quality/great_expectations_private.py against the library that is installed."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from great_expectations import ExpectationSuite
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.expectation import Expectation

from quality.context import quiet_context
from quality.great_expectations_private import evaluation_order, judge_of

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


def test_results_come_in_the_order_that_is_told() -> None:
    stated = [
        ExpectColumnValuesToNotBeNull(column="b"),
        ExpectTableRowCountToBeBetween(min_value=1),
        ExpectColumnValuesToNotBeNull(column="a"),
        ExpectColumnValuesToBeBetween(column="b", min_value=0),
        ExpectTableRowCountToBeBetween(max_value=9),
        ExpectColumnValuesToBeBetween(column="a", min_value=0),
    ]
    asset = quiet_context().data_sources.add_pandas("pandas").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
        {"dataframe": pa.table({"a": [1, 2], "b": [3, -4]}).to_pandas()}
    )
    found = batch.validate(ExpectationSuite("suite", stated)).results
    columns = {place: one.configuration.kwargs.get("column") for place, one in enumerate(stated)}
    told = [stated[place].configuration for place in evaluation_order(columns)]
    results = [one.expectation_config for one in found if one.expectation_config]
    assert [(one.type, {**one.kwargs, "batch_id": None}) for one in results] == [
        (one.type, {**one.kwargs, "batch_id": None}) for one in told
    ]
