"""From what a reader saw to percentiles: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Sighting:
    """One snapshot's new rows, as a reader saw them.

    Attributes:
        seen_ms: when the reader had read them, in milliseconds since the epoch.
        produced: record time (milliseconds since the epoch) -> rows.
    """

    snapshot_id: int
    seen_ms: int
    produced: Mapping[int, int]

    @property
    def rows(self) -> int:
        """How many rows it brought."""
        return sum(self.produced.values())


def waits(sightings: Iterable[Sighting], begin_ms: int, end_ms: int) -> Counter[int]:
    """Return milliseconds from produce to seen -> rows, of those produced in [begin, end)."""
    found: Counter[int] = Counter()
    for sighting in sightings:
        for produced, rows in sighting.produced.items():
            if begin_ms <= produced < end_ms:
                found[sighting.seen_ms - produced] += rows
    return found


def percentile(counts: Mapping[int, int], percent: float) -> int:
    """Return the smallest value that at least `percent` of all do not exceed.

    Raises:
        ValueError: there are none.
    """
    total, below = sum(counts.values()), 0
    for value in sorted(counts):
        below += counts[value]
        if below * 100 >= total * percent:
            return value
    raise ValueError("no values")


def summary(counts: Mapping[int, int]) -> dict[str, float] | None:
    """Return rows, percentiles and maximum in seconds; None of nothing."""
    if not counts:
        return None
    figures: dict[str, float] = {"rows": sum(counts.values())}
    figures |= {f"p{p}_s": percentile(counts, p) / 1000 for p in PERCENTILES}
    return figures | {"max_s": max(counts) / 1000}


def series(sightings: Sequence[Sighting], begin_ms: int) -> list[dict[str, float]]:
    """Return one point a snapshot that brought rows: when it was seen, and how long they waited."""
    return [_point(sighting, begin_ms) for sighting in sightings if sighting.rows]


def _point(sighting: Sighting, begin_ms: int) -> dict[str, float]:
    counts = {sighting.seen_ms - produced: rows for produced, rows in sighting.produced.items()}
    return {
        "at_s": (sighting.seen_ms - begin_ms) / 1000,
        "rows": sighting.rows,
        "p50_s": percentile(counts, 50) / 1000,
        "p95_s": percentile(counts, 95) / 1000,
        "max_s": max(counts) / 1000,
    }


def between_s(sightings: Sequence[Sighting]) -> float | None:
    """Return the median of seconds between sightings; None of fewer than two."""
    gaps = [b.seen_ms - a.seen_ms for a, b in pairwise(sightings)]
    return median(gaps) / 1000 if gaps else None
