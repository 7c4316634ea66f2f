"""Measure the processor time of an ingest by stage, in nanoseconds an event.

Fills a topic, ingests it once to warm up and once with clocks around the stages. Clocks count the time
of their thread on a processor: a stage that waits costs nothing.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import filling, results
from benchmarks.broker import own_cell
from benchmarks.options import options_of
from benchmarks.stages.page import page
from benchmarks.stages.probe import STAGES, Probe, probing
from pipeline.cells import Cell, embedded_cell
from pipeline.clock import utc_now
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product

EXAMPLES = """\
examples:
  make bench-stages                                          a million events of 100, 500 and 2,000 bytes
  python -m benchmarks.stages --events 100000 --out /tmp/s   a short one that leaves the docs alone
"""
SIZES = (100, 500, 2_000)
REPEATS = 3


def main() -> int:
    """Measure, write result and page, and return the exit code."""
    options = options_of("stages", __doc__, EXAMPLES)
    options.add_argument("--events", type=int, default=1_000_000, help="of 100 bytes (1000000)")
    options.add_argument("--out", type=Path, help="folder for result and page")
    chosen = options.parse_args()
    out: Path | None = chosen.out
    sizes = []
    for size in SIZES:
        # As many bytes at every size would be too few events of the largest to tell.
        events = chosen.events if size < SIZES[-1] else chosen.events // 4
        with own_cell(_say) as (root, cell):
            sizes.append(_measure(root, cell, size, events))
    document = {"benchmark": "stages", "format": 1, **results.circumstances(), "sizes": sizes}
    results.publish(document, "stages", out, page(document))
    return 0


def _measure(root: Path, cell: Cell, size: int, events: int) -> dict[str, Any]:
    product = filling.plain_product(root / "contracts", partitions=4)
    until = int(utc_now().timestamp() * 1_000_000)
    order = filling.Order(events, value_bytes=size, until=until, hours=3.0)
    filling.fill(cell, product, order, _say)
    runs = []
    for number in range(REPEATS + 1):
        fresh = embedded_cell(root / f"run-{number}", "us", cell.bootstrap_servers)
        fresh.root.mkdir(parents=True)
        # The same order of registration gives the same ids as the records carry.
        register_product(open_registry(fresh), product)
        runs.append(_run(fresh, product, events, _say))
    # The first pays for imports, compiled code and fresh memory.
    return {"value_bytes": size, "events": events, **_middle(runs[1:])}


def _run(cell: Cell, product: Product, events: int, say: Callable[[str], None]) -> dict[str, Any]:
    probe = Probe()
    wall, cpu = time.perf_counter(), time.process_time()
    with probing(probe):
        report = ingest(cell, product, once=True)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if report.rows != events:
        raise SystemExit(f"{report.rows:,} rows of {events:,} events")
    stages = {name: probe.ns[name] / events for name, _, _ in STAGES}
    rest = cpu * 1e9 / events - sum(stages.values())
    say(f"{events / wall:,.0f} events/s, {cpu * 1e6 / events:.2f} CPU seconds a million")
    return {"seconds": wall, "cpu_ns": cpu * 1e9 / events, "stages": stages | {"the rest": rest}}


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure."""
    names = runs[0]["stages"]
    return {
        "seconds": round(statistics.median(run["seconds"] for run in runs), 3),
        "cpu_ns": round(statistics.median(run["cpu_ns"] for run in runs), 1),
        "stages": {
            name: round(statistics.median(run["stages"][name] for run in runs), 1) for name in names
        },
    }


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
