"""The result of a measurement, and the figures that are computed from its raw runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.hourly.figures import TOLERANCE, differences
from benchmarks.hourly.measure import Run
from benchmarks.hourly.prepare import BEFORE, SPARK, SPARK_OF_HEADWATER, THE_HOUR
from benchmarks.hourly.steps import ORDER, REST
from benchmarks.results import circumstances

OURS = "headwater"
SIZES = (1_000_000, 4_000_000, 10_000_000)
"""Events of the hour."""

Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """Over the repeats of one contestant at one size: least and median seconds, medians of the rest."""

    contestant: str
    events: int
    least_s: float
    median_s: float
    cpu_s: float
    peak_mb: float


def document(runs: Iterable[Run], warm_up: int, failed: Mapping[str, str]) -> dict[str, Any]:
    """Return the document: raw runs, and the ratios that follow from them.

    `failed` has what went wrong, by `contestant events`.
    """
    raw = [asdict(run) for run in runs]
    found = figures(raw)
    ours = {one.events: one for one in found if one.contestant == OURS}
    return {
        "benchmark": "hourly",
        "format": 1,
        **circumstances(),
        "asked": {
            "hour": THE_HOUR.isoformat(),
            "hours_before": BEFORE,
            "warm_up": warm_up,
            "spark": SPARK,
            "spark_of_headwater": SPARK_OF_HEADWATER,
            "tolerance": TOLERANCE,
        },
        "failed": dict(failed),
        "runs": raw,
        "unequal": unequal(raw),
        "ratios": [
            {
                "contestant": one.contestant,
                "events": one.events,
                "seconds": round(ours[one.events].median_s / one.median_s, 3),
                "cpu": round(ours[one.events].cpu_s / one.cpu_s, 3),
                "peak": round(ours[one.events].peak_mb / one.peak_mb, 3),
            }
            for one in found
            if one.contestant != OURS and one.events in ours
        ],
    }


def figures(runs: Iterable[Raw]) -> list[Figures]:
    """Return the figures of raw runs, in the order in which contestants first come."""
    groups: dict[tuple[str, int], list[Raw]] = {}
    for run in runs:
        groups.setdefault((run["contestant"], run["events"]), []).append(run)
    return [
        Figures(
            *key,
            least_s=min(one["seconds"] for one in group),
            median_s=statistics.median(one["seconds"] for one in group),
            cpu_s=statistics.median(one["cpu_s"] for one in group),
            peak_mb=statistics.median(one["peak_mb"] for one in group),
        )
        for key, group in groups.items()
    ]


def steps(runs: Iterable[Raw], events: int) -> dict[str, dict[str, tuple[float, int]]]:
    """Return step -> table -> (median seconds, Spark jobs) of Headwater's runs at one size."""
    ours = [run["steps"] for run in runs if (run["contestant"], run["events"]) == (OURS, events)]
    found: dict[str, dict[str, tuple[float, int]]] = {}
    for step in (*ORDER, REST):
        for table in ours[0] if ours else ():
            lines = [run[table][step] for run in ours if step in run[table]]
            if lines:
                seconds = statistics.median(line["seconds"] for line in lines)
                found.setdefault(step, {})[table] = (seconds, int(lines[0]["jobs"]))
    return found


def unequal(runs: Sequence[Raw]) -> list[str]:
    """Return every figure of a run that differs from the same of the first run of its size."""
    first: dict[int, Raw] = {}
    return [
        f"{run['contestant']} at {run['events']}: {what}"
        for run in runs
        for what in differences(first.setdefault(run["events"], run)["found"], run["found"])
    ]
