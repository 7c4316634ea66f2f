"""Runs of one size, kept so that a benchmark that was ended goes on with the next size.

A size is kept whole or not at all: what is compared with each other was measured in one go.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.hourly.measure import Run

NAME = "runs.json"


def keep_runs(folder: Path, runs: Sequence[Run]) -> None:
    """Write `runs` into `folder`, all or none of them."""
    whole = folder / f"{NAME}.part"
    whole.write_text(json.dumps([asdict(run) for run in runs]))
    whole.rename(folder / NAME)


def kept_runs(folder: Path) -> list[Run]:
    """Return the runs kept in `folder`; none if there are none."""
    file = folder / NAME
    return [Run(**run) for run in json.loads(file.read_text())] if file.exists() else []
