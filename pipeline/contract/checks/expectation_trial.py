"""Whether Great Expectations takes an expectation's arguments, where its JSON Schema does not tell.

The schemas leave out what its classes check: bounds that are both missing, or the wrong way round, empty
lists, texts that are no times. Great Expectations itself has the last word, but importing it takes seconds,
which reading a contract should not cost. So what is plain to see is judged here, and all else by making the
expectation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

PLAIN_TYPES = frozenset(
    {
        "expect_column_distinct_values_to_be_in_set",
        "expect_column_max_to_be_between",
        "expect_column_mean_to_be_between",
        "expect_column_min_to_be_between",
        "expect_column_pair_values_a_to_be_greater_than_b",
        "expect_column_sum_to_be_between",
        "expect_column_value_lengths_to_be_between",
        "expect_column_values_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_unique",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_not_be_null",
        "expect_compound_columns_to_be_unique",
        "expect_table_row_count_to_be_between",
        "unexpected_rows_expectation",
    }
)
BOUNDS = ("min_value", "max_value")


def trial_mistakes(type_: str, kwargs: Mapping[str, Any]) -> Iterator[str]:
    """Yield why Great Expectations does not make this expectation; its JSON Schema has allowed it."""
    if type_ in PLAIN_TYPES and _plain(type_, kwargs):
        return
    # Seconds of imports, which no contract should cost that does not need them.
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import (
        ExpectationConfiguration,
    )

    try:
        ExpectationConfiguration(type=type_, kwargs=dict(kwargs)).to_domain_obj()
    except (GreatExpectationsError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        yield f"arguments that Great Expectations takes for {type_}: {said[:200]}"


def _plain(type_: str, kwargs: Mapping[str, Any]) -> bool:
    if not all(_plain_value(name, value) for name, value in kwargs.items()):
        return False
    low, high = (kwargs.get(name) for name in BOUNDS)
    if low is not None and high is not None:
        return bool(low <= high)
    return not type_.endswith("_between") or low is not None or high is not None


def _plain_value(name: str, value: Any) -> bool:
    match name:
        case "column" | "column_A" | "column_B" | "regex":
            return isinstance(value, str) and value != ""
        case "column_list":
            return isinstance(value, list) and len(value) > 1
        case "value_set":
            return isinstance(value, list) and bool(value)
        case "min_value" | "max_value" | "mostly":
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and math.isfinite(value)
        case "value":
            return isinstance(value, int) and not isinstance(value, bool)
        case "unexpected_rows_query":
            return isinstance(value, str) and "{batch}" in value
        case "or_equal" | "strict_min" | "strict_max":
            return isinstance(value, bool)
        case _:
            return False
