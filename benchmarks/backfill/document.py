"""The result of a measurement, and the figures that are computed from its raw runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.backfill.contestants import OURS
from benchmarks.backfill.measure import Run
from benchmarks.hourly.prepare import SPARK, SPARK_OF_HEADWATER
from benchmarks.results import circumstances

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """Medians over the repeats of one contestant."""

    workload: str
    contestant: str
    size: int
    hours: int
    seconds: float
    cpu_s: float
    peak_mb: float


def document(runs: Iterable[Run], failed: Mapping[str, str]) -> dict[str, Any]:
    """Return the document: raw runs, and the ratios that follow from them.

    `failed` has, by workload and contestant, why it did not run.
    """
    raw = [asdict(run) for run in runs]
    found = figures(raw)
    ours = {one.workload: one for one in found if one.contestant == OURS}
    return {
        "benchmark": "backfill",
        "format": 1,
        **circumstances(),
        "asked": {"spark": SPARK, "spark_of_headwater": SPARK_OF_HEADWATER},
        "failed": dict(failed),
        "runs": raw,
        "unequal": unequal(raw),
        "ratios": [
            {
                "workload": one.workload,
                "contestant": one.contestant,
                "seconds": round(ours[one.workload].seconds / one.seconds, 3),
                "cpu": round(ours[one.workload].cpu_s / one.cpu_s, 3),
                "peak": round(ours[one.workload].peak_mb / one.peak_mb, 3),
            }
            for one in found
            if one.contestant != OURS and one.workload in ours
        ],
    }


def figures(runs: Iterable[Raw]) -> list[Figures]:
    """Return the figures of raw runs, in the order in which contestants first come."""
    groups: dict[tuple[str, str, int, int], list[Raw]] = {}
    for run in runs:
        key = run["workload"], run["contestant"], run["size"], run["hours"]
        groups.setdefault(key, []).append(run)
    return [
        Figures(*key, *(statistics.median(one[name] for one in group) for name in _MEASURED))
        for key, group in groups.items()
    ]


_MEASURED = ("seconds", "cpu_s", "peak_mb")


def unequal(runs: Sequence[Raw]) -> list[str]:
    """Return of which runs' tables rows differ, and how many."""
    return [
        f"{run['contestant']}: {differing:,} rows of {table}"
        for run in runs
        for table, differing in run["differing"].items()
        if differing
    ]
