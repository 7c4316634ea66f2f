"""The result of a soak: tenths of it compared, and what there was at every hundredth."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.results import circumstances
from benchmarks.soak.dagster_storage import StorageSample
from benchmarks.soak.model import TIMED, Order, Sample
from benchmarks.soak.sizes import Sizes

MOST = 1.5
"""How many times as long as in the first tenth something may take in the last."""
GROWTH = 2.0
"""How many times as many there may be of what is bounded."""
BOUNDED = ("snapshots", "metadata_bytes", "metadata_files")
STORAGE_BOUNDED = ("database_bytes", "files", "runs")
STORAGE_FULL = 3
"""The tenth, counted from 0, in which Dagster's storage first holds as old runs as it ever will."""
POINTS = 100


def document(
    order: Order, samples: Sequence[Sample], storage: Sequence[StorageSample]
) -> dict[str, Any]:
    """Return the document; times in milliseconds.

    What is compared is CPU time: a soak is hours of work, and the machine has other work than that.
    """
    tenths = _tenths(samples)
    compared = [_compare(name, tenths[0], tenths[-1]) for name in ("p50", "p95", *TIMED)]
    bounded = [
        *(_grown(name, _sizes(tenths[0]), _sizes(tenths[-1])) for name in BOUNDED),
        *_storage_grown(_tenths(storage)),
    ]
    sound = all(sample.balanced for sample in samples)
    flat = all(one["cpu_ratio"] <= MOST for one in compared)
    return {
        "benchmark": "soak",
        "format": 1,
        **circumstances(),
        "asked": asdict(order),
        "whole": order == Order(),
        "hours": len(samples),
        "built": sum(sample.built for sample in samples),
        "looked_at": max(sample.looked_at for sample in samples),
        "balanced": sound,
        "compared": compared,
        "bounded": bounded,
        "met": sound and flat and all(one["ratio"] <= GROWTH for one in bounded),
        "points": _points(order, samples),
    }


def _compare(name: str, first: Sequence[Sample], last: Sequence[Sample]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": f"commit {name}" if name in ("p50", "p95") else name}
    for of, prefix in (("wall_s", ""), ("cpu_s", "cpu_")):
        before, after = _milliseconds(name, first, of), _milliseconds(name, last, of)
        found |= {
            f"{prefix}first_ms": round(before, 1),
            f"{prefix}last_ms": round(after, 1),
            f"{prefix}ratio": round(after / before, 2) if before else 1.0,
        }
    return found


def _milliseconds(name: str, samples: Sequence[Sample], of: str = "wall_s") -> float:
    """Return the median of what is timed, or that part of all commits; 0 where nothing was.

    Of maintenance the mean: most passes find nothing due.
    """
    if name in TIMED:
        timed = [getattr(one.timed[name], of) for one in samples if name in one.timed]
        average = statistics.fmean if name == "maintenance" else statistics.median
        return 1000 * average(timed) if timed else 0.0
    commits = sorted(getattr(took, of) for sample in samples for took in sample.commits)
    share = 0.5 if name == "p50" else 0.95
    return 1000 * commits[int(len(commits) * share)] if commits else 0.0


def _tenths(samples: Sequence[Any]) -> list[Sequence[Any]]:
    size = max(len(samples) // 10, 1)
    return [samples[at : at + size] for at in range(0, len(samples) // size * size, size)]


def _storage_grown(tenths: Sequence[Sequence[StorageSample]]) -> list[dict[str, Any]]:
    full, last = tenths[min(STORAGE_FULL, len(tenths) - 1)], tenths[-1]
    return [_grown(name, full, last) for name in STORAGE_BOUNDED]


def _sizes(samples: Sequence[Sample]) -> list[Sizes]:
    return [sample.sizes for sample in samples if sample.sizes is not None]


def _grown(name: str, first: Sequence[object], last: Sequence[object]) -> dict[str, Any]:
    before, after = (max((getattr(one, name) for one in part), default=1) for part in (first, last))
    return {"name": name, "first": before, "last": after, "ratio": round(after / before, 2)}


def _points(order: Order, samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Return at most `POINTS` parts of the hours, each with its medians and what there was in it."""
    size = max(-(-len(samples) // POINTS), 1)
    found = []
    for at in range(0, len(samples), size):
        part = samples[at : at + size]
        sizes = next((sample.sizes for sample in reversed(part) if sample.sizes is not None), None)
        found.append(
            {
                "commits": order.commits_until(part[-1].hour + 1),
                "hours": part[-1].hour + 1,
                **{f"{name}_ms": round(_milliseconds(name, part), 1) for name in ("p50", "p95")},
                **{f"{name}_ms": round(_milliseconds(name, part), 1) for name in TIMED},
                "sizes": None if sizes is None else asdict(sizes),
            }
        )
    return found
