"""One run of one contestant: a restored cell, a fresh process, the clock, and a look at its tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.clocked import clocked
from benchmarks.hourly.contestants import contestant
from benchmarks.hourly.figures import Figure, figures
from benchmarks.hourly.prepare import THE_HOUR, cell_in, restore


@dataclass(frozen=True)
class Places:
    """Cells of one size: made once, and where each run has a copy of them."""

    kept: Path
    live: Path
    kept_warm_up: Path
    live_warm_up: Path


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        events: of the hour.
        cpu_s: of its processes between the two moments.
        peak_mb: most resident memory of its processes, warm-up included.
        steps: table -> step -> seconds and Spark jobs; Headwater's alone.
        found: table -> figure -> value, of its tables in the end.
    """

    contestant: str
    events: int
    repeat: int
    seconds: float
    cpu_s: float
    peak_mb: float
    steps: Mapping[str, Any]
    found: Mapping[str, Mapping[str, Figure]]


def measure(name: str, places: Places, events: int, repeat: int, log: Path) -> Run:
    """Let a contestant build the hour in a cell as it was prepared, and return what that took.

    Raises:
        ContestantFailedError: its process failed; the message ends with what it printed last.
    """
    restore(places.kept, places.live)
    restore(places.kept_warm_up, places.live_warm_up)
    told = log.with_suffix(".json")
    took = clocked(
        [
            sys.executable,
            "-m",
            "benchmarks.hourly.worker",
            name,
            THE_HOUR.isoformat(),
            str(places.live_warm_up),
            str(places.live),
            str(told),
        ],
        log,
    )
    cell = cell_in(places.live)
    return Run(
        contestant=name,
        events=events,
        repeat=repeat,
        seconds=round(took.seconds, 3),
        cpu_s=round(took.cpu_s, 3),
        peak_mb=round(took.peak_mb, 1),
        steps=json.loads(told.read_text()),
        found=figures(contestant(name).files(cell, THE_HOUR)),
    )
