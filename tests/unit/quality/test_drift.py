"""Bins of a distribution, and what an hour without drift is expected to look like in them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.histogram import (
    FINE_VALUES,
    MIN_VALUES,
    CategoricalHistogram,
    NumericHistogram,
    edges_of,
    quantiles_for,
    values_for,
)

counts = st.lists(st.integers(0, 10_000), min_size=4, max_size=12)


@given(counts)
def test_every_bin_is_expected_to_have_something_and_all_of_them_everything(
    found: list[int],
) -> None:
    edges = tuple(float(n) for n in range(len(found) - 1))
    partition, rest = NumericHistogram(edges, tuple(found)).partition()
    shares = [*partition["tail_weights"], *partition["weights"]]
    assert min(shares) > 0
    assert math.isclose(sum(shares), 1)
    assert (len(partition["bins"]), rest) == (len(partition["weights"]) + 1, 0)


@given(counts, st.integers(0, 100))
def test_values_that_nobody_had_before_are_expected_to_be_as_rare_as_the_others(
    found: list[int], others: int
) -> None:
    partition, rest = CategoricalHistogram(tuple(map(str, found)), tuple(found), others).partition()
    assert math.isclose(sum(partition["weights"]), 1)
    assert math.isclose(rest, (others + 0.5) / (sum(found) + others + 0.5 * (len(found) + 1)))


def test_few_values_are_cut_coarsely_or_not_compared_at_all() -> None:
    assert quantiles_for(MIN_VALUES - 1) == ()
    assert quantiles_for(MIN_VALUES) == (0.25, 0.5, 0.75)
    assert len(quantiles_for(FINE_VALUES)) == 9
    assert (values_for(MIN_VALUES), values_for(10**6)) == (4, 50)


def test_a_value_that_many_rows_have_gets_a_bin_of_its_own() -> None:
    assert edges_of([0.0, 0.0, 0.5, 1.0, 1.0]) == (0.0, 0.5, 1.0)
    low, high = edges_of([3.0, 3.0, 3.0])
    assert low == 3.0 < high < 3.000001


@pytest.mark.parametrize("size", [MIN_VALUES, FINE_VALUES, 5_000])
def test_chance_alone_stays_far_below_any_limit_worth_setting(size: int) -> None:
    random = np.random.default_rng(7)
    for _ in range(50):
        before, now = random.lognormal(size=size), random.lognormal(size=size)
        edges = edges_of(list(np.quantile(before, quantiles_for(size))))
        cuts = [-math.inf, *edges, math.inf]
        partition, _ = NumericHistogram(edges, tuple(np.histogram(before, cuts)[0])).partition()
        below, above = partition["tail_weights"]
        expected = [below, *partition["weights"], above]
        found = np.histogram(now, cuts)[0] / size
        assert np.sum(found * np.log(np.maximum(found, 1e-300) / expected)) < 0.12
