"""Drift: how far an hour's distributions have moved from those of the hour published last before.

The measure is the Kullback-Leibler divergence of this hour from the earlier one, in nats, over bins that
the earlier hour fixes. Great Expectations computes it; `quality.histogram` says what it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.expectation import Expectation
from pyspark.sql import DataFrame

from pipeline.batch.wap.audit_frame import PREVIOUS
from pipeline.contract.model import Drift
from pipeline.contract.targets import expectations
from quality.histogram import Histogram, NumericHistogram
from quality.reference_histogram import ReferenceHistogram, count_values, reference_histograms


@dataclass(frozen=True)
class Distribution:
    """A column's distribution in this hour, beside that in the earlier one.

    Attributes:
        bins: their names, in order.
        now: share of this hour's values in each.
        before: expected share of each, from the earlier hour; () where nothing was compared.
        hour: the earlier hour.
        divergence: of this hour from the earlier one, in nats; None where nothing was compared, and
            where it is infinite.
        most: what the contract allows.
    """

    column: str
    bins: tuple[str, ...]
    now: tuple[float, ...]
    before: tuple[float, ...]
    hour: datetime | None
    divergence: float | None
    most: float


@dataclass(frozen=True)
class DriftReferences:
    """What to compare an hour's columns with.

    Attributes:
        limits: each bound with what the earlier hour has.
        alone: this hour's own bins of the columns that cannot be compared.
    """

    limits: tuple[tuple[Drift, ReferenceHistogram], ...]
    alone: tuple[ReferenceHistogram, ...]

    @property
    def compared(self) -> list[tuple[Drift, Expectation]]:
        """What can be compared, and the expectation that Great Expectations is to evaluate."""
        return [
            (limit, expectations.drift(limit, *reference.bins.partition()))
            for limit, reference in self.limits
            if reference.bins is not None
        ]

    @property
    def not_compared(self) -> list[tuple[Drift, str]]:
        """What cannot be compared, and why."""
        return [
            (limit, reference.reason) for limit, reference in self.limits if reference.bins is None
        ]

    def beside(self, others: DriftReferences, order: Sequence[Drift]) -> DriftReferences:
        """Return what these and `others` have, in the `order` of a contract."""
        limits = sorted((*self.limits, *others.limits), key=lambda one: order.index(one[0]))
        return DriftReferences(tuple(limits), (*self.alone, *others.alone))


NO_DRIFT = DriftReferences((), ())
"""Of a table that bounds the drift of no column."""


def drift_references(frame: DataFrame, limits: Sequence[Drift]) -> DriftReferences:
    """Return what the hour in `frame` is to be compared with: the view `previous` of its session.

    Without `limits` nothing is read.
    """
    if not limits:
        return NO_DRIFT
    columns = [limit.column for limit in limits]
    now = count_values(frame, columns)
    found = reference_histograms(frame.sparkSession.table(PREVIOUS), columns, now)
    missing = [reference.column for reference in found if reference.bins is None]
    alone = reference_histograms(frame, missing, now) if missing else ()
    return DriftReferences(tuple(zip(limits, found, strict=True)), alone)


def distributions(
    drifts: DriftReferences, results: Iterable[ExpectationValidationResult]
) -> tuple[Distribution, ...]:
    """Return the distributions that evaluated expectations found, and those that stand alone."""
    details = {
        result.expectation_config.kwargs["column"]: result.result
        for result in results
        if result.expectation_config and result.expectation_config.type == expectations.DRIFT
    }
    alone = {reference.column: reference for reference in drifts.alone}
    found = []
    for limit, reference in drifts.limits:
        result = details.get(limit.column)
        own = alone.get(limit.column)
        if result and "details" in result and reference.bins is not None:
            found.append(_compared(limit, reference, reference.bins, result))
        elif own is not None and own.bins is not None:
            names, counts = _names(own.bins), _counts(own.bins)
            shares = tuple(count / (sum(counts) or 1) for count in counts)
            found.append(Distribution(limit.column, names, shares, (), None, None, limit.most))
    return tuple(found)


def _compared(
    limit: Drift, reference: ReferenceHistogram, bins: Histogram, result: dict[str, Any]
) -> Distribution:
    sides = result["details"]["observed_partition"], result["details"]["expected_partition"]
    names = (
        _names(bins)
        if isinstance(bins, NumericHistogram)
        else tuple(str(value) for value in sides[0]["values"])
    )
    now, before = (_shares(side) for side in sides)
    divergence = result.get("observed_value")
    return Distribution(
        limit.column,
        names,
        now,
        before,
        reference.hour,
        None if divergence is None else float(divergence),
        limit.most,
    )


def _shares(partition: dict[str, Any]) -> tuple[float, ...]:
    weights = [float(weight) for weight in partition["weights"]]
    if "tail_weights" in partition:
        below, above = (float(weight) for weight in partition["tail_weights"])
        return (below, *weights, above)
    return tuple(weights)


def _counts(bins: Histogram) -> tuple[int, ...]:
    return bins.counts if isinstance(bins, NumericHistogram) else (*bins.counts, bins.others)


def _names(bins: Histogram) -> tuple[str, ...]:
    if not isinstance(bins, NumericHistogram):
        return (*(str(value) for value in bins.values), "others")
    edges = [f"{edge:.4g}" for edge in bins.edges]
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return (f"< {edges[0]}", *between, f"> {edges[-1]}")
