"""Whatever an expectation is given, the check of contracts says what Great Expectations itself would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.checks.expectation_trial import PLAIN_TYPES, trial_mistakes
from pipeline.contract.vocabulary import expectation_mistakes
from tests.unit.contract.conftest import Copy
from tests.unit.contract.test_mistakes import mistakes_of

TYPES = sorted(
    {
        *PLAIN_TYPES,
        "expect_column_stdev_to_be_between",
        "expect_column_values_to_match_regex_list",
        "expect_column_values_to_not_be_null_",
        "expect_column_k_l_divergence_to_be_less_than",
        "expect_multicolumn_values_to_be_equal",
    }
)
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, float("inf"), float("nan"), 2**70])
TEXTS = st.sampled_from(["", "a", "{batch}", "2026-01-01", "SELECT 1 FROM {batch}"])
VALUES = st.one_of(
    NUMBERS, TEXTS, st.booleans(), st.none(), st.lists(TEXTS, max_size=2), st.just({"a": 1})
)
NAMES = (
    "min_value",
    "max_value",
    "strict_min",
    "value",
    "mostly",
    "value_set",
    "regex",
    "regex_list",
    "column_A",
    "column_B",
    "column_list",
    "or_equal",
    "unexpected_rows_query",
)


def made(type_: str, kwargs: dict[str, Any]) -> bool:
    # It takes seconds to import: only for who asks it.
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        ExpectationConfiguration(type=type_, kwargs=dict(kwargs)).to_domain_obj()
    except Exception:  # noqa: BLE001 - whatever it says no with
        return False
    return True


@given(
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4),
    st.booleans(),
)
def test_what_the_check_passes_is_made_and_nothing_else(
    type_: str, kwargs: dict[str, Any], of_a_column: bool
) -> None:
    if of_a_column:
        kwargs["column"] = "c"
    if not list(expectation_mistakes(type_, kwargs)):
        assert (not list(trial_mistakes(type_, kwargs))) is made(type_, kwargs)


@pytest.mark.parametrize("share", [float("inf"), float("nan")])
def test_a_share_that_is_no_finite_number_is_a_mistake(share: float) -> None:
    kwargs = {"column": "c", "min_value": 1, "mostly": share}
    assert list(expectation_mistakes("expect_column_value_lengths_to_be_between", kwargs))


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ("{min_value: later}", "value is not a valid float"),
        ("{max_value: ''}", "empty strings"),
        ("{}", "cannot both be None"),
    ],
)
def test_bounds_that_great_expectations_refuses_are_a_mistake(
    copy: Copy, kwargs: str, expected: str
) -> None:
    folder = copy(
        "viewing_events",
        ("kwargs: {min_value: 0}", f"kwargs: {kwargs}"),
    )
    assert any(expected in one.expected for one in mistakes_of(folder))
