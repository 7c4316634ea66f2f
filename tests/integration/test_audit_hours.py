"""Hours audited together: each hour's result is that of an audit of it alone, whatever the others are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from pipeline.batch.wap.audit_frame import StagedRows
from quality.audit import AuditResult, audit
from quality.audit_hours import audit_hours
from tests.support.audits import each_said, said, table_expecting
from tests.support.orders import hour

ROWS = [
    (1, 1, "north", 3, 3),
    (1, 2, "south", 4, 5),
    (2, 3, None, -5, 0),
    (2, 4, "north", 3, 9),
    (3, 5, "west", None, None),
    (4, 6, "x" * 30, 70, 71),
    (4, 6, "x" * 30, 70, 71),
    (5, 9, "north", 1, 2),
    (5, 1, None, 3, 2),
    (5, 2, None, 3, 2),
]
Case = tuple[str, dict[str, Any]]
COUNTED: list[Case] = [
    ("expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 2}),
    ("expect_table_row_count_to_be_between", {"min_value": 2}),
    ("expect_column_values_to_not_be_null", {"column": "region"}),
    ("expect_column_values_to_not_be_null", {"column": "amount", "mostly": 0.5}),
    ("expect_column_values_to_be_null", {"column": "region"}),
    ("expect_column_values_to_be_between", {"column": "amount", "min_value": 0, "max_value": 9}),
    ("expect_column_values_to_be_in_set", {"column": "region", "value_set": ["north", "south"]}),
    ("expect_column_values_to_not_be_in_set", {"column": "region", "value_set": ["west"]}),
    ("expect_column_values_to_match_regex", {"column": "region", "regex": "^[a-w]+$"}),
    ("expect_column_values_to_not_match_regex", {"column": "region", "regex": "^x"}),
    ("expect_column_value_lengths_to_be_between", {"column": "region", "max_value": 9}),
    ("expect_column_value_lengths_to_equal", {"column": "region", "value": 5}),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "bound", "column_B": "amount", "or_equal": True},
    ),
    ("expect_column_pair_values_to_be_equal", {"column_A": "bound", "column_B": "amount"}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["id", "amount"], "sum_total": 4}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["hour", "id"]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["id", "region"]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["region", "amount"]}),
    ("expect_column_values_to_be_unique", {"column": "id"}),
    ("expect_column_values_to_be_unique", {"column": "region", "mostly": 0.5}),
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
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE id = 4 OR amount < bound - 5"},
    ),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT DISTINCT region FROM {batch} WHERE id = 4"},
    ),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT 1 FROM {batch} WHERE bound > 5 HAVING count(*) = 0"},
    ),
    ("expect_column_to_exist", {"column": "id"}),
    ("expect_table_column_count_to_equal", {"value": 5}),
]
MET: list[Case] = [
    ("expect_column_values_to_be_between", {"column": "amount", "min_value": -9}),
    ("expect_table_row_count_to_be_between", {"min_value": 1}),
]
OF_WHOLE_HOURS: list[Case] = [
    ("expect_column_max_to_be_between", {"column": "amount", "max_value": 9}),
    (
        "unexpected_rows_expectation",
        {"unexpected_rows_query": "SELECT DISTINCT region FROM {batch} WHERE id = 4 LIMIT 9"},
    ),
]
DEPRECATED = "ignore:.* deprecated as of GX Core 1.9.0:DeprecationWarning"
ABSENT: Case = ("expect_column_values_to_not_be_null", {"column": "absent"})


@dataclass(frozen=True)
class Given(StagedRows):
    """Rows of the test's own, as if they were staged; notes which hours are looked at alone."""

    frame: DataFrame
    looked_at: list[datetime]

    @property
    def hours(self) -> tuple[datetime, ...]:
        return tuple(self.row_counts)

    @property
    def row_counts(self) -> Mapping[datetime, int]:
        return Counter(hour(row[0]) for row in sorted(ROWS, key=lambda row: row[0]))

    def together(self) -> DataFrame:
        return self.frame

    def alone(self, of: datetime, passed: Collection[datetime]) -> DataFrame:
        assert of not in passed
        self.looked_at.append(of)
        return self.rows_of(of)

    def inputs_together(self, _session: SparkSession) -> Collection[str]:
        return ()

    def rows_of(self, of: datetime) -> DataFrame:
        return self.frame.where(f"hour = TIMESTAMP '{of.isoformat()}'")


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> DataFrame:
    rows = [(hour(number), *rest) for number, *rest in ROWS]
    columns = "hour timestamp, id long, region string, amount long, bound long"
    return spark.newSession().createDataFrame(rows, columns)


@pytest.fixture
def given(frame: DataFrame) -> Given:
    return Given(None, None, frame, [])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def alone(frame: DataFrame) -> Mapping[datetime, AuditResult]:
    """Audits of each hour alone, which ask everything that can be counted."""
    rows = Given(None, None, frame, [])  # type: ignore[arg-type]
    return {of: audit(rows.rows_of(of), table_expecting(COUNTED)) for of in rows.hours}


@pytest.mark.filterwarnings(DEPRECATED)
@pytest.mark.parametrize(
    "case", COUNTED, ids=[f"{n}-{type_}" for n, (type_, _) in enumerate(COUNTED)]
)
def test_an_hours_result_is_that_of_an_audit_of_it_alone(
    given: Given, alone: Mapping[datetime, AuditResult], case: Case
) -> None:
    found = audit_hours(given, table_expecting([case]))
    for of, one in found.items():
        assert set() < set(each_said(one)) <= set(each_said(alone[of]))
    # Each is what the audit of its hour alone says, so its verdict is that one's.
    passed = {
        of: all(json.loads(text)["success"] for text in each_said(one)) for of, one in found.items()
    }
    assert {of: one.passed for of, one in found.items()} == passed
    assert given.looked_at == [of for of in found if not passed[of]]


@pytest.mark.filterwarnings(DEPRECATED)
def test_so_it_is_of_all_that_is_asked_together(
    given: Given, alone: Mapping[datetime, AuditResult]
) -> None:
    found = audit_hours(given, table_expecting(COUNTED))
    assert {of: said(one) for of, one in found.items()} == {
        of: said(one) for of, one in alone.items()
    }
    assert given.looked_at == [of for of, one in alone.items() if not one.passed]


@pytest.mark.parametrize(
    "cases",
    [[*OF_WHOLE_HOURS, *MET], [MET[0], *OF_WHOLE_HOURS, MET[1]], OF_WHOLE_HOURS],
    ids=["first", "between", "alone"],
)
def test_what_looks_at_other_rows_is_asked_of_each_hour(given: Given, cases: list[Case]) -> None:
    broken = broken_of(given, cases)
    assert 0 < len(broken) < len(given.hours)
    assert sorted(given.looked_at) == sorted([*given.hours, *broken])


@pytest.mark.parametrize("more", [[], OF_WHOLE_HOURS], ids=["counted", "all"])
def test_what_does_not_fit_the_rows_is_told_of_each_hour(given: Given, more: list[Case]) -> None:
    assert broken_of(given, [*MET, *more, ABSENT]) == list(given.hours)
    assert given.looked_at == list(given.hours)


def broken_of(given: Given, cases: list[Case]) -> list[datetime]:
    """Return the hours that break something; their results are those of audits of each alone."""
    table = table_expecting(cases)
    found = audit_hours(given, table)
    alone = {of: audit(given.rows_of(of), table) for of in given.hours}
    assert {of: said(one) for of, one in found.items()} == {
        of: said(one) for of, one in alone.items()
    }
    return [of for of, one in alone.items() if not one.passed]


def test_hours_that_pass_are_counted_together_however_many_there_are(given: Given) -> None:
    table = table_expecting(
        [("expect_column_values_to_be_between", {"column": "id", "min_value": 1})]
    )
    scheduler = given.frame.sparkSession.sparkContext._jsc.sc().dagScheduler()
    before = scheduler.numTotalJobs()
    assert all(one.passed for one in audit_hours(given, table).values())
    # A job for parts of the rows, and one for their sum: an audit of one hour has as many.
    assert scheduler.numTotalJobs() - before <= 4
    assert given.looked_at == []
