"""How many numbers lie in which bins, in every hour of some rows: counted by one query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf

from quality.counting.hours import hour_at, seconds
from quality.counting.spreads import Number
from quality.histogram import quantiles_for
from quality.reference_histogram import finite

_MOST_EDGES = len(quantiles_for(10**9))


@dataclass(frozen=True)
class Edges:
    """Where the bins end that a column is counted in, in one hour: for itself, and for the hour after it.

    Strictly rising, at least two; () is not to count it.
    """

    now: tuple[float, ...] = ()
    after: tuple[float, ...] = ()


@dataclass(frozen=True)
class BinCounts:
    """How many values of a column lie in the bins of `Edges`, the outermost open.

    Attributes:
        beyond: values that compare as less than the first edge of `now`, or more than its last: those that
            are not finite are among them, NaN as more than any.
    """

    now: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    beyond: tuple[int, int] = (0, 0)


def count_bins(rows: DataFrame, edges: Mapping[Number, Edges]) -> Mapping[Number, BinCounts]:
    """Return the counts of each number of `edges`, as far as its hour has rows. Reads once."""
    columns = sorted({column for _, column in edges})
    if not columns:
        return {}
    hours = sorted({hour for hour, _ in edges})
    bounds = [
        (round(hour.timestamp()), *_bounds(edges.get((hour, name), Edges()) for name in columns))
        for hour in hours
    ]
    names = [f"now_{n} ARRAY<DOUBLE>, after_{n} ARRAY<DOUBLE>" for n in range(len(columns))]
    values = rows.select(
        seconds().alias("at"),
        *(sf.col(name).alias(f"value_{n}") for n, name in enumerate(columns)),
        *(finite(rows, name).alias(f"finite_{n}") for n, name in enumerate(columns)),
    )
    session = rows.sparkSession
    placed = values.join(
        sf.broadcast(session.createDataFrame(bounds, ", ".join(("at LONG", *names)))), "at"
    )
    told = (_told(n) for n in range(len(columns)))
    found: dict[Number, BinCounts] = {}
    for at, *counts in placed.groupBy("at").agg(*chain.from_iterable(told)).collect():
        hour = hour_at(at)
        for n, name in enumerate(columns):
            of, (now, after, beyond) = edges.get((hour, name), Edges()), counts[3 * n : 3 * n + 3]
            found[hour, name] = BinCounts(
                _filled(now, of.now), _filled(after, of.after), tuple(beyond)
            )
    return found


def _bounds(edges: Iterable[Edges]) -> Iterator[list[float] | None]:
    for one in edges:
        yield list(one.now) or None
        yield list(one.after) or None


def _told(n: int) -> tuple[Column, Column, Column]:
    """Return what is counted of the column `n`: in the bins of both, and beyond those of `now`."""
    value, finite_, now = sf.col(f"value_{n}"), sf.col(f"finite_{n}"), sf.col(f"now_{n}")
    beyond = value < sf.get(now, sf.lit(0)), value > sf.element_at(now, -1)
    return (
        sf.array(*map(sf.count_if, _insides(finite_, now))).alias(f"in_now_{n}"),
        sf.array(*map(sf.count_if, _insides(finite_, sf.col(f"after_{n}")))).alias(f"in_after_{n}"),
        sf.array(*map(sf.count_if, beyond)).alias(f"beyond_{n}"),
    )


def _insides(value: Column, edges: Column) -> list[Column]:
    """Return, as `reference_histogram.insides`, where a value lies; edges that are not there have no bin."""
    at = [sf.get(edges, sf.lit(n)) for n in range(_MOST_EDGES)]
    inner = [
        (value >= low) & ((value < high) | ((value == high) & (sf.size(edges) == n + 2)))
        for n, (low, high) in enumerate(pairwise(at))
    ]
    return [value < at[0], *inner, value > sf.element_at(edges, -1)]


def _filled(counts: Sequence[int], edges: Sequence[float]) -> tuple[int, ...]:
    """Return the counts of bins that there are."""
    return (*counts[: len(edges)], counts[-1]) if edges else ()
