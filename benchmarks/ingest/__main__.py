"""Time contestants that bring the same filled topics into Iceberg tables, in one run on one broker.

Each run is a process of its own in a cell of its own, warmed up outside the clock. Exits with 1 where
Headwater is not twice as fast as the best exactly-once peer at every size.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import filling, results
from benchmarks.broker import own_cell
from benchmarks.clocked import ContestantFailedError
from benchmarks.ingest.contestants import NAMES, chosen, contestant
from benchmarks.ingest.document import SIZES, document, met
from benchmarks.ingest.measure import Run, measure
from benchmarks.ingest.page import page, plot
from benchmarks.ingest.work import Topic
from benchmarks.options import options_of
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product

PARTITIONS = 4
HOURS = 3.0
EXAMPLES = """\
examples:
  make bench                                                      all of it (20 min)
  python -m benchmarks.ingest --scale 0.1 --repeats 1 --out /tmp/i  a short one that leaves the docs alone
  python -m benchmarks.ingest --sizes 100 --contestants headwater:all_on loop --out /tmp/i
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    chosen_ = _options()
    out: Path | None = chosen_.out
    pairs = chosen(chosen_.contestants)
    missing = {name: contestant(name).ready(_say) for name in {name for name, _ in pairs}}
    for name, why in missing.items():
        if why:
            _say(f"{name} cannot run here: {why}")
    pairs = [pair for pair in pairs if not missing[pair[0]]]
    runs: list[Run] = []
    for size in chosen_.sizes:
        with own_cell(_say) as (root, cell):
            runs += _size(root, cell, size, pairs, chosen_.repeats, chosen_.scale)
    result = document(runs, PARTITIONS, HOURS, {n: why for n, why in missing.items() if why})
    results.publish(result, "ingest", out, page(result), plot(result))
    for size, ratio in result["ratios"].items():
        sys.stdout.write(f"{size} bytes: {ratio} times the best exactly-once peer\n")
    return 0 if met(result) else 1


def _options() -> argparse.Namespace:
    options = options_of("ingest", __doc__, EXAMPLES)
    options.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="bytes a value")
    options.add_argument(
        "--contestants",
        nargs="+",
        default=list(NAMES),
        metavar="NAME[:VARIANT]",
        help=f"of {', '.join(NAMES)}",
    )
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--scale", type=float, default=1.0, help="of the numbers of events (1)")
    options.add_argument("--out", type=Path, help="folder for result, plot and page")
    asked = options.parse_args()
    if unknown := set(asked.sizes) - set(SIZES):
        options.error(f"--sizes are of {', '.join(map(str, SIZES))}, not {min(unknown)}")
    if asked.scale <= 0 or asked.repeats < 1:
        options.error("--scale is above 0, --repeats is 1 or more")
    return asked


def _size(
    root: Path,
    cell: Cell,
    size: int,
    pairs: list[tuple[str, str]],
    repeats: int,
    scale: float,
) -> list[Run]:
    shares = sorted({contestant(name).SHARE for name, _ in pairs})
    topics = {}
    for share in (*shares, 0.05):
        name = f"plain_{size}_{round(share * 100)}"
        product = filling.plain_product(root / "contracts", name, PARTITIONS)
        events = max(PARTITIONS, round(SIZES[size] * scale * share))
        until = int(utc_now().timestamp() * 1_000_000)
        fill = filling.Order(events, value_bytes=size, until=until, hours=HOURS)
        _say(f"filling {name} with {events:,} events of {size:,} bytes")
        filling.fill(cell, product, fill)
        topics[share] = Topic(name, events, PARTITIONS, str(product.folder)), product
    runs = []
    # In turn rather than one after the other, so that what changes on the machine hits all.
    for repeat in range(repeats):
        for name, variant in pairs:
            topic, product = topics[contestant(name).SHARE]
            both = (topics[0.05][0], topic)
            run = _run(root, cell, name, variant, product, both, size, repeat)
            if run is not None:
                runs.append(run)
    return runs


def _run(
    root: Path,
    cell: Cell,
    name: str,
    variant: str,
    product: Product,
    topics: tuple[Topic, Topic],
    size: int,
    repeat: int,
) -> Run | None:
    folder = root / f"{name}-{variant}-{repeat}"
    try:
        run = measure(
            name,
            variant,
            product,
            topics,
            cell.bootstrap_servers,
            folder,
            value_bytes=size,
            repeat=repeat,
        )
    except ContestantFailedError as error:
        _say(f"{name} {variant} failed: {error}")
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _say(
        f"{size:,} B, {name} {variant}: {run.events / run.seconds:,.0f} events/s, "
        f"{run.cpu_s / run.events * 1e6:.2f} CPU s a million, {run.peak_mb:,.0f} MB"
    )
    if (run.rows, run.uuids) != (run.events, run.events):
        _say(f"NOT the same work: {run.rows:,} rows, {run.uuids:,} uuids of {run.events:,} events")
        return replace(run, seconds=float("inf"))
    return run


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
