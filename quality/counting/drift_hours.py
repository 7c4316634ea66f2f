"""Drift of numbers in the hours of a range, each held to the hour before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from great_expectations.core import ExpectationValidationResult
from pyspark.sql.types import DoubleType

from pipeline.batch.wap.audit_frame import StagedRows
from pipeline.contract.model import Drift
from quality.context import RESULT_FORMAT, OpenBatch
from quality.counting.bins import BinCounts, Edges
from quality.counting.numbers import numbers_of
from quality.counting.spreads import Number, Spread
from quality.drift import NO_DRIFT, DriftReferences
from quality.great_expectations_private import verdict
from quality.histogram import NumericHistogram
from quality.reference_histogram import ReferenceHistogram, edges_for, not_comparable


@dataclass(frozen=True)
class DriftOfHour:
    """What drift of one hour is told from.

    Attributes:
        before: the hour that it is compared with; None if there is none, or nothing to compare.
        references: as `drift_references` gives them of the hour alone.
        metrics: of each column that is compared, what Great Expectations' expectation asks for, by its names.
    """

    before: datetime | None
    references: DriftReferences
    metrics: Mapping[str, Mapping[str, Any]]

    def judged(self, batch: OpenBatch) -> Iterator[tuple[Drift, ExpectationValidationResult]]:
        """Yield what Great Expectations says of each column that is compared, as of the hour in `batch`."""
        for limit, asked in self.references.compared:
            configuration = asked.configuration
            configuration.kwargs["batch_id"] = batch.batch.id
            expectation, metrics = configuration.to_domain_obj(), self.metrics[limit.column]
            yield limit, verdict(expectation, batch.engine, metrics, RESULT_FORMAT)


def drift_of_hours(rows: StagedRows, limits: Sequence[Drift]) -> Mapping[datetime, DriftOfHour]:
    """Return what drift of each hour of `rows` is told from, if those before it pass.

    `limits` are of numbers. Reads the rows once, or twice where they are very many, however many hours
    there are; never without `limits`.
    """
    if not limits:
        return dict.fromkeys(rows.hours, DriftOfHour(None, NO_DRIFT, {}))
    before = {hour: rows.hour_before(hour, rows.hours) for hour in rows.hours}
    published = sorted({hour for hour in before.values() if hour} - set(rows.hours))
    columns = [limit.column for limit in limits]
    numbers = numbers_of(rows.beside(published, columns), columns, rows.count_beside(published))
    found = numbers.spreads()
    pairs: dict[Number, _Pair] = {}
    edges = {number: Edges() for number in found}
    for hour, earlier in before.items():
        for column in columns:
            then = found.get((earlier, column)) if earlier else None
            pair = pairs[hour, column] = _Pair(found[hour, column], then or Spread())
            edges[hour, column] = replace(edges[hour, column], now=pair.edges)
            if earlier and not pair.reason:
                # No hour is the one before two others.
                edges[earlier, column] = replace(edges[earlier, column], after=pair.edges)
    counted = numbers.bins(edges)
    return {
        hour: _of_hour(
            earlier,
            [
                (limit, pairs[hour, limit.column], counted[hour, limit.column], then)
                for limit in limits
                for then in [counted.get((earlier, limit.column)) if earlier else None]
            ],
        )
        for hour, earlier in before.items()
    }


@dataclass(frozen=True)
class _Pair:
    """A number in one hour, and in the one before it."""

    now: Spread
    before: Spread

    @property
    def reason(self) -> str:
        """Why they cannot be compared; "" if they can."""
        return not_comparable(self.before.hour, _NUMBER, self._fewest)

    @property
    def own_reason(self) -> str:
        """Why this hour has no bins of its own; "" if it has."""
        return not_comparable(self.now.hour, _NUMBER, self.now.finite)

    @property
    def edges(self) -> tuple[float, ...]:
        """Where this hour's bins end: by the hour before, else by itself; () if it has none."""
        if not self.reason:
            return edges_for(self.before.quantiles, self._fewest)
        return () if self.own_reason else edges_for(self.now.quantiles, self.now.finite)

    @property
    def _fewest(self) -> int:
        return min(self.now.finite, self.before.finite)


_NUMBER = DoubleType()


def _of_hour(
    before: datetime | None,
    counted: Sequence[tuple[Drift, _Pair, BinCounts, BinCounts | None]],
) -> DriftOfHour:
    limits: list[tuple[Drift, ReferenceHistogram]] = []
    alone: list[ReferenceHistogram] = []
    metrics: dict[str, Mapping[str, Any]] = {}
    for limit, pair, now, then in counted:
        name, edges, reason = limit.column, pair.edges, pair.reason
        bins = NumericHistogram(edges, then.after) if then and not reason else None
        limits.append((limit, ReferenceHistogram(name, pair.before.hour, bins, reason)))
        if bins is None:
            own = NumericHistogram(edges, now.now) if edges else None
            alone.append(ReferenceHistogram(name, pair.now.hour, own, pair.own_reason))
        else:
            metrics[name] = {
                "column.histogram": list(now.now[1:-1]),
                "column_values.nonnull.count": pair.now.values,
                "below_partition": now.beyond[0],
                "above_partition": now.beyond[1],
            }
    return DriftOfHour(before, DriftReferences(tuple(limits), tuple(alone)), metrics)
