"""Runs of one size, kept so that a benchmark that was ended goes on with the next size.

A size counts whole or not at all: what is compared with each other was measured in one go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path

from benchmarks.hourly.measure import Run
from pipeline.files import write_atomically

NAME = "runs.json"


def keep_runs(folder: Path, runs: Sequence[Run]) -> None:
    """Write `runs` into `folder`, atomically, in place of those kept before."""
    write_atomically(folder / NAME, json.dumps([asdict(run) for run in runs]))


def kept_runs(folder: Path, contestants: Iterable[str], repeats: int) -> list[Run]:
    """Return the runs kept in `folder`; none unless they are each contestant's, each repeat once."""
    file = folder / NAME
    runs = [Run(**run) for run in json.loads(file.read_text())] if file.exists() else []
    asked = sorted(product(contestants, range(repeats)))
    return runs if sorted((run.contestant, run.repeat) for run in runs) == asked else []
