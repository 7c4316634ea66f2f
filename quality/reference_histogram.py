"""Distributions of columns, told apart by bins that an earlier hour fixes.

A number's bins end at deciles of the earlier hour (quartiles where it has few rows), the outermost are
open. A string's or boolean's bins are its most frequent values there. Nulls and NaN are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf
from pyspark.sql.types import BooleanType, NumericType, StringType

from quality.histogram import (
    CategoricalHistogram,
    Histogram,
    NumericHistogram,
    edges_of,
    quantiles_for,
    values_for,
)

HOUR = "hour"


@dataclass(frozen=True)
class ReferenceHistogram:
    """A column's distribution in an earlier hour, or why there is none to compare with.

    Attributes:
        hour: the earlier hour; None if there is none.
        bins: None where nothing can be compared; `reason` then says why.
    """

    column: str
    hour: datetime | None
    bins: Histogram | None
    reason: str = ""


def count_values(frame: DataFrame, columns: Sequence[str]) -> dict[str, int]:
    """Return how many values of each column count: those that are neither null nor NaN. Reads once."""
    counted = [sf.count(finite(frame, name)).alias(f"n{i}") for i, name in enumerate(columns)]
    row = frame.agg(*counted).collect()[0]
    return dict(zip(columns, row, strict=True))


def reference_histograms(
    previous: DataFrame, columns: Sequence[str], now: Mapping[str, int]
) -> tuple[ReferenceHistogram, ...]:
    """Return each column's distribution in `previous`, the rows of one earlier hour, or of none.

    `now` says how many values the hour to compare has. Reads `previous` twice, and once more for each
    column that is no number.
    """
    types = {field.name: field.dataType for field in previous.schema}
    numbers = [name for name in columns if isinstance(types.get(name), NumericType)]
    row = previous.agg(
        sf.max(HOUR).alias("hour"),
        *(sf.count(finite(previous, name)).alias(f"n{i}") for i, name in enumerate(columns)),
        *(
            sf.percentile(finite(previous, name), sf.array(*map(sf.lit, GRID))).alias(f"q_{name}")
            for name in numbers
        ),
    ).collect()[0]
    found: dict[str, ReferenceHistogram] = {}
    edges: dict[str, tuple[float, ...]] = {}
    for i, name in enumerate(columns):
        before = row[f"n{i}"]
        fewest = min(before, now[name])
        reason = not_comparable(row["hour"], types.get(name), fewest)
        if reason:
            found[name] = ReferenceHistogram(name, row["hour"], None, reason)
        elif name in numbers:
            at = dict(zip(GRID, row[f"q_{name}"], strict=True))
            edges[name] = edges_for(at, fewest)
        else:
            kept = _most_frequent(previous, name, values_for(fewest))
            values = CategoricalHistogram(
                tuple(kept), tuple(kept.values()), before - sum(kept.values())
            )
            found[name] = ReferenceHistogram(name, row["hour"], values)
    for name, bins in count(previous, edges).items():
        found[name] = ReferenceHistogram(name, row["hour"], bins)
    return tuple(found[name] for name in columns)


def count(frame: DataFrame, edges: Mapping[str, tuple[float, ...]]) -> dict[str, NumericHistogram]:
    """Return how many values of each column lie in the bins that `edges` divide. Reads once."""
    if not edges:
        return {}
    wanted = [
        sf.count_if(inside)
        for name, bounds in edges.items()
        for inside in insides(finite(frame, name), bounds)
    ]
    counts = list(frame.agg(*wanted).collect()[0])
    found: dict[str, NumericHistogram] = {}
    for name, bounds in edges.items():
        size = len(bounds) + 1
        found[name] = NumericHistogram(bounds, tuple(counts[:size]))
        counts = counts[size:]
    return found


GRID = tuple(sorted({*quantiles_for(10**9), *quantiles_for(100)}))
"""All quantiles that bins may end at."""


def edges_for(quantiles: Mapping[float, float], values: int) -> tuple[float, ...]:
    """Return where bins end, of `quantiles` at `GRID`, for so many values in the smaller hour."""
    return edges_of([quantiles[at] for at in quantiles_for(values)])


def insides(value: Column, edges: tuple[float, ...]) -> list[Column]:
    """Return whether a value lies below the edges, in each bin between them, and above them.

    As Great Expectations cuts them: each bin has its lower edge, and the last but one its upper too.
    """
    pairs = list(pairwise(edges))
    inner = [(value >= low) & (value < high) for low, high in pairs[:-1]]
    low, high = pairs[-1]
    return [value < edges[0], *inner, (value >= low) & (value <= high), value > edges[-1]]


def finite(frame: DataFrame, name: str) -> Column:
    """Return a column's values, null where they do not count: of numbers, those that are not finite."""
    if not is_number(frame, name):
        return sf.col(name)
    number = sf.col(name).cast("double")
    return sf.when(sf.abs(number) < float("inf"), number)


def is_number(frame: DataFrame, name: str) -> bool:
    """Whether `frame` has a column of that name, of numbers."""
    return any(one.name == name and isinstance(one.dataType, NumericType) for one in frame.schema)


def _most_frequent(frame: DataFrame, name: str, most: int) -> dict[Any, int]:
    counted = frame.where(sf.col(name).isNotNull()).groupBy(name).count()
    rows = counted.orderBy(sf.col("count").desc(), name).limit(most).collect()
    return {row[name]: row["count"] for row in rows}


def not_comparable(hour: datetime | None, type_: object, fewest: int) -> str:
    """Return why a column with so many values in the smaller hour is not compared; "" if it is."""
    if hour is None:
        return "no hour before it is published: nothing to compare"
    if not isinstance(type_, (NumericType, StringType, BooleanType)):
        return f"its type cannot be compared: {type_}"
    if not quantiles_for(fewest):
        return f"{fewest} values in one of the hours are too few to compare"
    return ""
