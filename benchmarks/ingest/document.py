"""The result of a measurement, and the figures that are computed from its raw runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.ingest.contestants import contestant
from benchmarks.ingest.contestants.headwater import ALL_ON
from benchmarks.ingest.measure import Run
from benchmarks.results import circumstances

SIZES = {100: 2_000_000, 500: 800_000, 2_000: 250_000}
"""Bytes of a value -> events of that size."""
REQUIRED, AIM, AIM_RATE = 2.0, 5.0, 300_000
OURS = "headwater"


@dataclass(frozen=True)
class Figures:
    """Medians over the repeats of one contestant at one size."""

    contestant: str
    variant: str
    value_bytes: int
    rate: float
    cpu_s_per_million: float
    peak_mb: float


def document(
    runs: Iterable[Run], partitions: int, hours: float, missing: Mapping[str, str]
) -> dict[str, Any]:
    """Return the document: raw runs, and the ratios that follow from them."""
    raw = [asdict(run) for run in runs]
    found = figures(raw)
    ratios = {}
    for size in sorted({one.value_bytes for one in found}):
        mine = [one.rate for one in found if _is(one, size, OURS, ALL_ON)]
        peers = [one.rate for one in found if one.value_bytes == size and _is_exact_peer(one)]
        if mine and peers:
            ratios[str(size)] = round(mine[0] / max(peers), 2)
    return {
        "benchmark": "ingest",
        "format": 1,
        **circumstances(),
        "asked": {"partitions": partitions, "hours": hours},
        "missing": dict(missing),
        "runs": raw,
        "ratios": ratios,
    }


def figures(runs: Iterable[Mapping[str, Any]]) -> list[Figures]:
    """Return the medians of raw runs, in the order in which contestants first come."""
    groups: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for run in runs:
        key = (run["contestant"], run["variant"], run["value_bytes"])
        groups.setdefault(key, []).append(run)
    return [
        Figures(
            *key,
            rate=statistics.median(one["events"] / one["seconds"] for one in group),
            cpu_s_per_million=statistics.median(
                one["cpu_s"] / one["events"] * 1e6 for one in group
            ),
            peak_mb=statistics.median(one["peak_mb"] for one in group),
        )
        for key, group in groups.items()
    ]


def met(result: Mapping[str, Any]) -> bool:
    """Return whether Headwater is `REQUIRED` times as fast as the best exactly-once peer."""
    ratios = result["ratios"].values()
    return bool(ratios) and min(ratios) >= REQUIRED


def _is(one: Figures, size: int, name: str, variant: str) -> bool:
    return (one.value_bytes, one.contestant, one.variant) == (size, name, variant)


def _is_exact_peer(one: Figures) -> bool:
    if one.contestant.startswith(OURS):
        return False
    return bool(contestant(one.contestant).guarantees(one.variant).exactly_once)
