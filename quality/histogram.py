"""Bins of a distribution, and the shares that an hour without drift would have in them. No Spark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SMOOTHING = 0.5
"""Added to the count of every bin (Krichevsky-Trofimov): none is expected to stay empty for ever."""

MIN_VALUES, FINE_VALUES = 100, 500
"""With fewer values nothing is compared; with fewer than `FINE_VALUES`, coarsely.

What chance alone adds to the divergence of two hours of n and m values in b bins is about
(b - 1) / 2 * (1 / n + 1 / m) nats: at most 0.03 here.
"""

MOST_VALUES = 50


@dataclass(frozen=True)
class NumericHistogram:
    """Counts of a number: below the first edge, between each two, and above the last."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def partition(self) -> tuple[dict[str, Any], float]:
        """Return the partition object that Great Expectations compares with, and the rest of it: 0.

        Each bin's share is (count + 1/2) / (values + bins/2), so no divergence from it is infinite.
        """
        below, *inner, above = _smoothed(self.counts)
        return {"bins": list(self.edges), "weights": inner, "tail_weights": [below, above]}, 0.0


@dataclass(frozen=True)
class CategoricalHistogram:
    """Counts of the most frequent values, and of all others together."""

    values: tuple[Any, ...]
    counts: tuple[int, ...]
    others: int

    def partition(self) -> tuple[dict[str, Any], float]:
        """Return the partition object, and the share that values which it does not name have together.

        That share, smoothed as the others, is only counted where there are such values.
        """
        *known, others = _smoothed((*self.counts, self.others))
        named = sum(known)
        weights = [share / named for share in known]
        return {"values": list(self.values), "weights": weights}, others


Histogram = NumericHistogram | CategoricalHistogram


def quantiles_for(values: int) -> tuple[float, ...]:
    """Return where to cut a number that has so many values in the smaller hour; () is nowhere."""
    parts = 10 if values >= FINE_VALUES else 4 if values >= MIN_VALUES else 0
    return tuple(n / parts for n in range(1, parts))


def values_for(values: int) -> int:
    """Return how many of a string's values to tell apart: each could have `MIN_VALUES` / 4 rows."""
    return min(MOST_VALUES, values * 4 // MIN_VALUES)


def edges_of(quantiles: Sequence[float]) -> tuple[float, ...]:
    """Return strictly rising edges, at least two: a value that many rows have gets a bin of its own."""
    edges = sorted(set(quantiles))
    return tuple(edges if len(edges) > 1 else (edges[0], math.nextafter(edges[0], math.inf)))


def _smoothed(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + SMOOTHING * len(counts)
    return [(count + SMOOTHING) / total for count in counts]
