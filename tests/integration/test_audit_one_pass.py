"""Audits count everything by one query: what they say is what Great Expectations' own engine says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

import pytest
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.wap.audit_frame import PREVIOUS
from pipeline.contract.model import Drift, Feature
from quality import audit as audits
from quality import context as batches
from tests.support.audits import said, table_expecting
from tests.support.orders import derived

Case = tuple[str, Mapping[str, object]]

MET: list[Case] = [
    ("expect_table_row_count_to_be_between", {"min_value": 1}),
    ("expect_column_values_to_not_be_null", {"column": "id"}),
    ("expect_column_values_to_be_between", {"column": "amount", "min_value": -9, "max_value": 99}),
    ("expect_column_values_to_match_regex", {"column": "region", "regex": "^[a-z]+$"}),
    ("expect_column_value_lengths_to_be_between", {"column": "region", "min_value": 1}),
    ("expect_column_values_to_be_unique", {"column": "id"}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["id", "region"]}),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "bound", "column_B": "amount", "or_equal": True},
    ),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE id < 0"},
    ),
]
BROKEN: list[Case] = [
    ("expect_table_row_count_to_be_between", {"max_value": 2}),
    ("expect_column_values_to_not_be_null", {"column": "region", "mostly": 0.9}),
    ("expect_column_values_to_be_null", {"column": "region"}),
    (
        "expect_column_values_to_be_between",
        {"column": "amount", "min_value": 0, "strict_min": True},
    ),
    ("expect_column_values_to_be_between", {"column": "score", "max_value": 1.0}),
    ("expect_column_values_to_be_in_set", {"column": "region", "value_set": ["north"]}),
    ("expect_column_values_to_match_regex", {"column": "region", "regex": "^n"}),
    ("expect_column_value_lengths_to_be_between", {"column": "region", "max_value": 4}),
    ("expect_column_values_to_be_unique", {"column": "region"}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["region", "amount"]}),
    (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["region", "amount"], "ignore_row_if": "any_value_is_missing"},
    ),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "amount", "column_B": "bound"},
    ),
    (
        "expect_column_pair_values_to_be_equal",
        {"column_A": "amount", "column_B": "bound", "ignore_row_if": "either_value_is_missing"},
    ),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["id", "amount"], "sum_total": 4}),
    (
        "expect_column_values_to_be_between",
        {
            "column": "amount",
            "min_value": 3,
            "row_condition": 'col("id") > 2',
            "condition_parser": "great_expectations",
        },
    ),
    (
        "expect_column_values_to_not_be_null",
        {
            "column": "amount",
            "row_condition": 'col("id") > 99',
            "condition_parser": "great_expectations",
        },
    ),
    ("expect_column_max_to_be_between", {"column": "amount", "max_value": 3}),
    ("expect_column_mean_to_be_between", {"column": "amount", "max_value": 0}),
    ("expect_column_distinct_values_to_be_in_set", {"column": "region", "value_set": ["north"]}),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE id = 2"},
    ),
]
MISTAKEN: list[Case] = [
    ("expect_column_values_to_not_be_null", {"column": "absent"}),
    ("expect_column_values_to_be_between", {"column": "region", "min_value": 3}),
    ("unexpected_rows_expectation", {"unexpected_rows_query": "SELECT nothing FROM {batch}"}),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT 1 FROM {batch} WHERE 1 / 0 > id"},
    ),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE 1 / 0 > id"},
    ),
]
HOUR = "TIMESTAMP '2026-01-01 00:00:00' AS hour"
ROWS = [
    (1, "north", 3, 3, 0.5),
    (2, "south", 4, 5, 1.5),
    (3, None, -5, 0, math.nan),
    (4, "north", 3, 9, math.inf),
    (5, None, None, None, None),
]


class AsItIs:
    """The engine's own way."""

    def __init__(
        self,
        engine: SparkDFExecutionEngine,
        _hours: Sequence[datetime],
        _of_range: Mapping[str, str],
    ) -> None:
        self.resolve_metrics = engine.resolve_metrics


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> DataFrame:
    columns = "id long, region string, amount long, bound long, score double"
    return spark.newSession().createDataFrame(ROWS, columns)


@pytest.mark.filterwarnings("ignore:.* deprecated as of GX Core 1.9.0:DeprecationWarning")
@pytest.mark.parametrize(
    "cases",
    [MET, BROKEN, [*MET, *BROKEN, *MISTAKEN]],
    ids=["met", "broken", "beside mistaken ones"],
)
def test_an_audit_says_what_the_engine_says(
    frame: DataFrame, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_expecting(cases)
    found = said(audits.audit(frame, table))
    monkeypatch.setattr(batches, "OnePass", AsItIs)
    assert found == said(audits.audit(frame, table))


@pytest.mark.parametrize("kind", ["long", "double", "decimal(9, 2)"])
def test_drift_is_what_the_engine_finds(
    spark: SparkSession, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = spark.newSession()
    numbers = session.range(1000).selectExpr(f"CAST(id % 37 AS {kind}) AS amount", HOUR)
    numbers.createOrReplaceTempView(PREVIOUS)
    strange = "double('NaN')" if kind == "double" else "NULL"
    hour = session.range(900).selectExpr(
        f"CAST(CASE WHEN id = 7 THEN {strange} ELSE id % 41 - 2 END AS {kind}) AS amount"
    )
    drift = (Drift(column="amount", most=0.01),)
    feature = Feature(entity=("amount",), ttl_s=60, partitions=("amount",), drift=drift)
    table = derived("sales", "SELECT 1").model_copy(update={"feature": feature})
    found = audits.audit(hour, table)
    assert found.distributions[0].divergence
    monkeypatch.setattr(batches, "OnePass", AsItIs)
    assert said(found) == said(audits.audit(hour, table))


def test_rules_over_rows_take_two_queries_however_many_there_are(frame: DataFrame) -> None:
    table = table_expecting(
        [
            ("expect_column_values_to_be_between", {"column": column, "min_value": -n})
            for column in ("amount", "bound", "id")
            for n in range(9, 20)
        ]
    )
    context = frame.sparkSession.sparkContext
    group = uuid4().hex
    context.setJobGroup(group, "an audit")
    assert audits.audit(frame, table).passed
    jobs = context.statusTracker().getJobIdsForGroup(group)
    context.setLocalProperty("spark.jobGroup.id", "")
    # Rows, then what breaks a rule: each is a job for parts of the rows and one for their sum.
    assert len(jobs) <= 4
