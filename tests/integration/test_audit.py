"""Great Expectations on a Spark frame: verdicts, and what they say."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.contract.model import Expectation
from quality.audit import AuditResult, audit
from tests.support.orders import derived


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> DataFrame:
    rows = [("north", 3), ("south", 4), (None, -5)]
    return spark.newSession().createDataFrame(rows, "region string, amount long")


def audited(frame: DataFrame, **expectations: dict[str, object]) -> AuditResult:
    asked = tuple(Expectation(type=type_, kwargs=kwargs) for type_, kwargs in expectations.items())
    return audit(frame, derived("sales", "SELECT 1", expectations=asked))


def test_rows_that_meet_every_expectation_pass(frame: DataFrame) -> None:
    result = audited(
        frame.where("amount > 0"),
        expect_column_values_to_not_be_null={"column": "region"},
        expect_table_row_count_to_be_between={"min_value": 1},
        expect_compound_columns_to_be_unique={"column_list": ["region", "amount"]},
    )
    assert (result.passed, result.met, result.failed) == (True, 3, ())


def test_a_failed_expectation_says_where_what_and_how_often(frame: DataFrame) -> None:
    result = audited(
        frame,
        expect_column_values_to_be_between={"column": "amount", "min_value": 0},
        expect_table_row_count_to_be_between={"max_value": 2},
        expect_column_values_to_not_be_null={"column": "amount"},
    )
    assert not result.passed
    assert result.met == 1
    by_column = {failed.column: failed for failed in result.failed}
    assert by_column["amount"].type == "expect_column_values_to_be_between"
    assert by_column["amount"].unexpected == 1
    assert "-5" in by_column["amount"].observed
    assert "min_value=0" in by_column["amount"].expected
    assert by_column[None].observed == "3"


def test_an_expectation_that_cannot_be_evaluated_fails_and_says_why(frame: DataFrame) -> None:
    result = audited(frame, expect_column_values_to_not_be_null={"column": "absent"})
    assert not result.passed
    assert "absent" in result.failed[0].observed


def test_no_expectations_pass(frame: DataFrame) -> None:
    assert audited(frame).passed
