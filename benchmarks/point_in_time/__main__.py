"""Time the point-in-time join against DuckDB's formulations of the same, on the same rows in memory."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import results
from benchmarks.options import options_of
from benchmarks.point_in_time.page import page
from benchmarks.point_in_time.ways import Way, made, ways

EXAMPLES = """\
examples:
  make bench-point-in-time
  python -m benchmarks.point_in_time --spine 10000 --history 50000 --out /tmp/p   leaves the docs alone
"""
RUNS = 1


def main() -> int:
    """Measure, write result and page."""
    options = options_of("point_in_time", __doc__, EXAMPLES)
    options.add_argument("--spine", type=int, default=1_000_000, help="rows (1000000)")
    options.add_argument("--history", type=int, default=5_000_000, help="rows (5000000)")
    options.add_argument("--out", type=Path, help="folder for result and page")
    chosen = options.parse_args()
    out: Path | None = chosen.out
    document = measure(chosen.spine, chosen.history)
    results.publish(document, "point_in_time", out, page(document))
    return 0


def measure(spine_rows: int, history_rows: int, runs: int = RUNS) -> dict[str, Any]:
    """Return the result of joining so many rows.

    Raises:
        SystemExit: two ways gave different values.
    """
    entities = max(history_rows // 25, 1)
    spine, history = made(spine_rows, history_rows, entities)
    found, first = [], None
    for way in ways(spine, history):
        line, values = _timed(way, runs)
        if first is not None and not values.equals(first):
            raise SystemExit(f"{way.name} gives other values")
        first = values if first is None else first
        found.append(line)
    return {
        "benchmark": "point_in_time",
        "format": 1,
        **results.circumstances(),
        "spine_rows": spine_rows,
        "history_rows": history_rows,
        "entities": entities,
        "matched": spine_rows - (first.get_column("c").null_count() if first is not None else 0),
        "runs": runs,
        "ways": found,
    }


def _timed(way: Way, runs: int) -> tuple[dict[str, Any], pl.DataFrame]:
    walls, cpus, values = [], [], pl.DataFrame()
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        values = way.run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        sys.stderr.write(f"{way.name}: {walls[-1]:.2f} s, {cpus[-1]:.2f} CPU s\n")
    line = {
        "way": way.name,
        "ours": way.is_ours,
        "seconds": round(min(walls), 3),
        "cpu_seconds": round(min(cpus), 3),
    }
    return line, values


if __name__ == "__main__":
    sys.exit(main())
