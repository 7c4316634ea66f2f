"""Time contestants that build many hours at once, in one run: a year of flights, and a week of viewing.

Each run is a process of its own on a copy of one prepared cell, warmed up outside the clock. Exits with 1
where a contestant fails or cannot be had, or gives other rows than the first.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import results
from benchmarks.backfill.contestants import contestant
from benchmarks.backfill.document import document
from benchmarks.backfill.flights import FLIGHTS
from benchmarks.backfill.measure import Run, measure
from benchmarks.backfill.page import page, plot
from benchmarks.backfill.work import Work
from benchmarks.backfill.workloads import WEEK_HOURS, Workload, prepared, week, year
from benchmarks.clocked import ContestantFailedError
from benchmarks.options import options_of
from headwater.stack.jars import ensure_jars
from pipeline.settings import load_settings
from pipeline.spark.jars import spark_jars
from pipeline.spark.session import catalog_config, session_config
from pipeline.tables.layout import events_table

EXAMPLES = """\
examples:
  make bench-backfill                                                all of it
  python -m benchmarks.backfill --year --flights 20000 --out /tmp/b  leaves the docs alone
  python -m benchmarks.backfill --year --contestants spark_sql headwater --out /tmp/b
  python -m benchmarks.backfill --week --events 2000 --hours 24 --out /tmp/b
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    asked = _options()
    for name in ("spark", "comet"):
        ensure_jars(load_settings().cache, name, _say)
    runs: list[Run] = []
    failed: dict[str, str] = {}
    for workload in _workloads(asked):
        with tempfile.TemporaryDirectory(prefix="headwater-backfill-") as folder:
            names = [n for n in workload.contestants if n in (asked.contestants or [n])]
            runs += _measured(workload, names, asked.repeats, Path(folder), failed)
    result = document(runs, failed)
    results.publish(result, "backfill", asked.out, page(result), plot(result))
    for line in (*result["unequal"], *failed.values()):
        _say(line)
    return 1 if failed or result["unequal"] else 0


def _options() -> argparse.Namespace:
    options = options_of("backfill", __doc__, EXAMPLES)
    options.add_argument("--year", action="store_true", help="the year of flights alone")
    options.add_argument("--week", action="store_true", help="the week of viewing alone")
    options.add_argument("--flights", type=int, default=FLIGHTS, help=f"({FLIGHTS:,}, all)")
    options.add_argument("--events", type=int, default=5_000, help="viewing events an hour (5,000)")
    options.add_argument(
        "--hours", type=int, default=WEEK_HOURS, help=f"of the week ({WEEK_HOURS})"
    )
    options.add_argument("--contestants", nargs="+", help="these alone")
    options.add_argument("--repeats", type=int, default=1)
    options.add_argument("--out", type=Path, help="folder for result, plot and page")
    asked = options.parse_args()
    if min(asked.flights, asked.events, asked.hours, asked.repeats) < 1:
        options.error("numbers are 1 or more")
    return asked


def _workloads(asked: argparse.Namespace) -> Iterator[Workload]:
    both = asked.year == asked.week
    if asked.year or both:
        yield year(asked.flights)
    if asked.week or both:
        yield week(asked.events, asked.hours)


def _measured(
    workload: Workload, names: list[str], repeats: int, root: Path, failed: dict[str, str]
) -> list[Run]:
    _say(f"filling cells for the {workload.name}")
    product = workload.product(root / "contracts")
    warm_up = prepared(workload, product, root / "warm-up", "warmup", warm_up=True)
    live = prepared(workload, product, root / "live", "us", warm_up=False)
    reference = root / "reference"
    reference.mkdir()
    cell = live.cell()
    config = session_config(cell, spark_jars(load_settings().cache, cell))
    settings = config | catalog_config(warm_up.cell())
    runs = []
    # In turn rather than one after the other, so that what changes on the machine hits all.
    for repeat in range(repeats):
        for name in names:
            title = f"{contestant(name).TITLE}, {workload.name}"
            if why := contestant(name).ready(_say):
                failed[title] = why
                continue
            work = Work(
                contestant=name,
                product=str(product.folder),
                events=events_table(product.name),
                targets=workload.targets(product),
                warm_up=warm_up,
                live=live,
                spark=settings,
            )
            try:
                run = measure(work, workload, repeat, reference, root / f"{name}.log")
            except ContestantFailedError as error:
                failed[title] = str(error)[-500:]
                _say(f"{name} failed: {error}")
                continue
            _say(f"{name}: {run.seconds:,.1f} s, {run.cpu_s:,.1f} CPU s, {run.peak_mb:,.0f} MB")
            runs.append(run)
    return runs


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
