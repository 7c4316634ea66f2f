"""One run of one contestant: restored cells, a fresh process, the clock, and a look at its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backfill.contestants import contestant
from benchmarks.backfill.rows import compare_rows, keep_rows
from benchmarks.backfill.work import Work
from benchmarks.backfill.workloads import Workload, kept
from benchmarks.clocked import clocked
from benchmarks.hourly.prepare import restore


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        size, hours: flights, or events an hour; and hours that have some.
        cpu_s: of its processes between the two moments.
        peak_mb: most resident memory of its processes, warm-up included.
        rows: by table, of its tables in the end.
        differing: by table, rows that stand in its table alone, or in the reference's alone.
    """

    workload: str
    contestant: str
    size: int
    hours: int
    repeat: int
    seconds: float
    cpu_s: float
    peak_mb: float
    rows: Mapping[str, int]
    differing: Mapping[str, int]


def measure(work: Work, workload: Workload, repeat: int, reference: Path, log: Path) -> Run:
    """Let a contestant build all hours in cells as they were prepared, and return what that took.

    Tables that have no file in the folder `reference` yet become those that later ones are held to.

    Raises:
        ContestantFailedError: its process failed; the message ends with what it printed last.
    """
    for place in (work.warm_up, work.live):
        restore(kept(Path(place.root)), Path(place.root))
    work.save(log.with_suffix(".json"))
    one = contestant(work.contestant)
    command = [str(one.python()), "-m", "benchmarks.backfill.worker", str(log.with_suffix(".json"))]
    took = clocked(command, log)
    cell, found = work.live.cell(), {}
    for target in work.targets:
        identifier = one.table(cell, work.product, target)
        file = reference / f"{target.name}.parquet"
        if not file.exists():
            keep_rows(cell, identifier, file)
        found[target.name] = compare_rows(cell, identifier, file)
    return Run(
        workload=workload.name,
        contestant=work.contestant,
        size=workload.size,
        hours=work.live.hours,
        repeat=repeat,
        seconds=round(took.seconds, 3),
        cpu_s=round(took.cpu_s, 3),
        peak_mb=round(took.peak_mb, 1),
        rows={name: rows for name, (rows, _) in found.items()},
        differing={name: differing for name, (_, differing) in found.items()},
    )
