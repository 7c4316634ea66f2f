"""Which expectations are told by counting rows, of all hours at once."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.batch.sql.row_query import condition_of
from pipeline.contract.audit_expectations import QUERY
from pipeline.contract.model import Expectation

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


def is_countable(expectation: Expectation, of_range: Collection[str] = ()) -> bool:
    """Whether numbers of rows tell if an hour meets `expectation`.

    `of_range` are queries whose rows are counted by hour, beside conditions of each row.
    """
    if QUERY in expectation.kwargs:
        text = str(expectation.kwargs[QUERY])
        return text in of_range or condition_of(text) is not None
    return expectation.type in OF_ROWS | OF_COLUMNS
