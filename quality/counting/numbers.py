"""Numbers in every hour of some rows: what there is of them, and how many lie in which bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pyspark.sql import DataFrame

from quality.counting.bins import BinCounts, Edges, count_bins
from quality.counting.collected import CollectedNumbers
from quality.counting.spreads import Number, Spread, spreads

MOST_COLLECTED = 16_000_000
"""More values than these, 128 MB of them, stay in Spark."""


class Numbers(Protocol):
    """Columns of numbers, by hour. Every implementation gives the same, to the last digit."""

    def spreads(self) -> Mapping[Number, Spread]:
        """Return what there is of each column in each hour that has rows."""
        ...

    def bins(self, edges: Mapping[Number, Edges]) -> Mapping[Number, BinCounts]:
        """Return the counts of each number of `edges`, as far as its hour has rows."""
        ...


class CountedNumbers:
    """Numbers that Spark counts: one query for what there is, another for bins."""

    def __init__(self, rows: DataFrame, columns: Sequence[str]) -> None:
        """Count `columns` of `rows`, all numbers."""
        self._rows, self._columns = rows, columns

    def spreads(self) -> Mapping[Number, Spread]:
        """Reads the rows once."""
        return spreads(self._rows, self._columns)

    def bins(self, edges: Mapping[Number, Edges]) -> Mapping[Number, BinCounts]:
        """Reads the rows once."""
        return count_bins(self._rows, edges)


def numbers_of(rows: DataFrame, columns: Sequence[str], count: int) -> Numbers:
    """Return `columns` of `rows`, all numbers; there are at most `count` rows.

    Few are read once and brought here: to tell exact quantiles costs Spark a hash table of all values.
    """
    if count * len(columns) > MOST_COLLECTED:
        return CountedNumbers(rows, columns)
    return CollectedNumbers.of(rows, columns)
