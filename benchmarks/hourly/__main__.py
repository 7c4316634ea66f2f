"""Time contestants that build the same hour of three derived tables, in one run.

Each run is a process of its own on a copy of one prepared cell, warmed up outside the clock. Exits with 1
where a contestant fails, or gives other rows than the first.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import results
from benchmarks.clocked import ContestantFailedError
from benchmarks.hourly.contestants import NAMES, contestant
from benchmarks.hourly.document import SIZES, document
from benchmarks.hourly.kept import keep_runs, kept_runs
from benchmarks.hourly.measure import Places, Run, measure
from benchmarks.hourly.page import page, plot
from benchmarks.hourly.prepare import prepare
from benchmarks.options import options_of
from headwater.stack.jars import ensure_jars
from pipeline.settings import load_settings

WARM_UP = 50_000
EXAMPLES = """\
examples:
  make bench-hourly                                                            all of it
  python -m benchmarks.hourly --sizes 100000 --repeats 1 --out /tmp/h          leaves the docs alone
  python -m benchmarks.hourly --sizes 1000000 --contestants headwater --out /tmp/h
  python -m benchmarks.hourly --resume /tmp/hours                              goes on where it was ended
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    asked = _options()
    out: Path | None = asked.out
    for name in ("spark", "comet"):
        ensure_jars(load_settings().cache, name, _say)
    runs: list[Run] = []
    failed: dict[str, str] = {}
    with _folder(asked.resume) as root:
        warm_up = root / f"warm-up-{asked.warm_up}"
        _prepare(warm_up, asked.warm_up)
        for size in asked.sizes:
            prepared = root / str(size)
            if kept := kept_runs(prepared, asked.contestants, asked.repeats):
                _say(f"{size:,} events were measured before, see {prepared}")
                runs += kept
                continue
            _prepare(prepared, size)
            places = Places(
                prepared / "kept", prepared / "live", warm_up / "kept", warm_up / "live"
            )
            of_size = _size(places, size, asked.contestants, asked.repeats, failed)
            runs += of_size
            keep_runs(prepared, of_size)
            shutil.rmtree(prepared / "live" if asked.resume else prepared)
    result = document(runs, asked.warm_up, failed)
    results.publish(result, "hourly", out, page(result), plot(result))
    for line in (*result["unequal"], *failed.values()):
        _say(line)
    return 1 if failed or result["unequal"] else 0


def _options() -> argparse.Namespace:
    options = options_of("hourly", __doc__, EXAMPLES)
    options.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="events an hour")
    options.add_argument("--contestants", nargs="+", default=list(NAMES), choices=NAMES)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--warm-up", type=int, default=WARM_UP, help=f"events ({WARM_UP})")
    options.add_argument(
        "--resume",
        type=Path,
        help="folder that keeps prepared cells (3 GB) and the runs of each size, to go on from",
    )
    options.add_argument("--out", type=Path, help="folder for result, plot and page")
    asked = options.parse_args()
    if min(asked.sizes) < 1 or asked.repeats < 1:
        options.error("--sizes and --repeats are 1 or more")
    return asked


@contextmanager
def _folder(resume: Path | None) -> Iterator[Path]:
    if resume:
        # A table knows its files by absolute path.
        yield resume.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="headwater-hourly-") as folder:
        yield Path(folder)


def _prepare(folder: Path, events: int) -> None:
    """Make a cell at `folder / live`, in a process that ends with its JVM, and keep it as it is."""
    if (folder / "kept").exists():
        _say(f"{events:,} events are prepared in {folder}")
        return
    shutil.rmtree(folder / "live", ignore_errors=True)
    _say(f"preparing {events:,} events")
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=prepare, args=(folder / "live", events))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit("the cell could not be prepared")
    (folder / "live").rename(folder / "kept")


def _size(
    places: Places, events: int, names: list[str], repeats: int, failed: dict[str, str]
) -> list[Run]:
    runs = []
    # In turn rather than one after the other, so that what changes on the machine hits all.
    for repeat in range(repeats):
        for name in names:
            try:
                run = measure(name, places, events, repeat, places.kept.parent / f"{name}.log")
            except ContestantFailedError as error:
                failed[f"{contestant(name).TITLE} at {events:,} events"] = str(error)[-500:]
                _say(f"{name} failed: {error}")
                continue
            _say(
                f"{events:,} events, {name}: {run.seconds:,.1f} s, {run.cpu_s:,.1f} CPU s, "
                f"{run.peak_mb:,.0f} MB"
            )
            runs.append(run)
    return runs


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
