"""Numbers in every hour of some rows, brought here by one query and counted as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from quality.counting.bins import BinCounts, Edges
from quality.counting.hours import hour_at, seconds
from quality.counting.spreads import Number, Spread
from quality.reference_histogram import GRID

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CollectedNumbers:
    """The values of each column in each hour that has rows, without nulls, in no order."""

    values: Mapping[Number, Values]

    @classmethod
    def of(cls, rows: DataFrame, columns: Sequence[str]) -> CollectedNumbers:
        """Collect `columns` of `rows`, all numbers: 8 bytes a value, and as much again meanwhile."""
        wanted = (sf.col(name).cast("double").alias(f"value_{n}") for n, name in enumerate(columns))
        table = rows.select(seconds().alias("at"), *wanted).toArrow()
        by_hour = dict(_by_hour(table))
        return cls({(hour, columns[n]): values for (hour, n), values in by_hour.items()})

    def spreads(self) -> Mapping[Number, Spread]:
        """As `Numbers`."""
        return {number: _spread(number[0], values) for number, values in self.values.items()}

    def bins(self, edges: Mapping[Number, Edges]) -> Mapping[Number, BinCounts]:
        """As `Numbers`."""
        return {
            number: _bin_counts(self.values[number], of)
            for number, of in edges.items()
            if number in self.values
        }


def _by_hour(table: pa.Table) -> Iterator[tuple[tuple[datetime, int], Values]]:
    """Yield the values of each column, by its place, in each hour."""
    order = pc.sort_indices(table, [("at", "ascending")])
    rows = table.take(order)
    starts, first = np.unique(rows["at"].to_numpy(), return_index=True)
    ends = [*first[1:], rows.num_rows]
    for start, begin, end in zip(starts, first, ends, strict=True):
        of_hour = rows.slice(int(begin), int(end - begin))
        for place, name in enumerate(rows.column_names[1:]):
            yield (hour_at(int(start)), place), of_hour[name].drop_null().to_numpy()


def _spread(hour: datetime, values: Values) -> Spread:
    finite = values[np.isfinite(values)]
    # Without a zone, in the machine's own, as Spark hands over a time.
    return Spread(
        hour.astimezone().replace(tzinfo=None), len(values), len(finite), _quantiles(finite)
    )


def _quantiles(values: Values) -> Mapping[float, float]:
    """Return the quantiles at `GRID`, interpolated as Spark's `percentile` does, in its order of steps."""
    if not len(values):
        return {}
    positions = np.array(GRID) * (len(values) - 1)
    lower, higher = np.floor(positions).astype(int), np.ceil(positions).astype(int)
    placed = np.partition(values, np.unique([lower, higher]))
    low, high = placed[lower], placed[higher]
    between = (higher - positions) * low + (positions - lower) * high
    found = np.where(low == high, low, between)
    return dict(zip(GRID, found.tolist(), strict=True))


def _bin_counts(values: Values, edges: Edges) -> BinCounts:
    finite = values[np.isfinite(values)]
    beyond = (0, 0)
    if edges.now:
        # NaN compares as more than any number in Spark, and as no more than any here.
        inside = np.count_nonzero(values <= edges.now[-1])
        beyond = int(np.count_nonzero(values < edges.now[0])), int(len(values) - inside)
    return BinCounts(_counts(finite, edges.now), _counts(finite, edges.after), beyond)


def _counts(values: Values, edges: Sequence[float]) -> tuple[int, ...]:
    """Return how many values lie below the edges, in each bin between, the last with its end, and above."""
    if not edges:
        return ()
    places = np.searchsorted(np.array(edges), values, side="right")
    places[values == edges[-1]] = len(edges) - 1
    return tuple(np.bincount(places, minlength=len(edges) + 1).tolist())
