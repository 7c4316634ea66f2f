"""Measure what a year of commits and hours does to the cost of the next.

Commits small batches as ingest does, publishes hours, and times every commit, tick and command, on a clock
that is set. Exits with 1 when something takes over 1.5 times the CPU in the last tenth that it took in the
first, or is not bounded. Ended, it goes on where it was if it is started anew with the same --folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import results
from benchmarks.options import options_of
from benchmarks.soak.dagster_storage import soak_storage
from benchmarks.soak.document import document
from benchmarks.soak.model import Order
from benchmarks.soak.page import page, plot
from benchmarks.soak.run import soak
from pipeline.cells import embedded_cell
from pipeline.contract.load import load_product
from pipeline.settings import PROJECT, load_settings

EXAMPLES = """\
examples:
  make soak                                                          100,000 commits, 8,760 hours
  python -m benchmarks.soak --commits 3000 --hours 260 --out /tmp/s  a short one that leaves the docs alone
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    options = options_of("soak", __doc__, EXAMPLES)
    options.add_argument("--commits", type=int, default=Order.commits, help="how many (100000)")
    options.add_argument("--hours", type=int, default=Order.hours, help="over as many (8760)")
    options.add_argument("--rows", type=int, default=Order.rows, help="of each commit (20)")
    options.add_argument("--seed", type=int, default=Order.seed, help="draws others (1)")
    options.add_argument(
        "--folder", type=Path, default=PROJECT / "build" / "soak", help="keeps tables and progress"
    )
    options.add_argument("--out", type=Path, help="folder for result, plot and page")
    chosen = options.parse_args()
    out: Path | None = chosen.out
    order = Order(chosen.commits, chosen.hours, chosen.rows, seed=chosen.seed)
    product = load_product(load_settings().contracts / "viewing_events")
    folder = chosen.folder / f"{order.commits}-{order.hours}-{order.rows}-{order.seed}"
    cell = embedded_cell(folder / "cell", "us", "127.0.0.1:9")
    samples = tuple(soak(folder, cell, product, order, _say))
    storage = tuple(soak_storage(folder, order.hours, _say))
    result = document(order, samples, storage)
    results.publish(result, "soak", out, page(result), plot(result))
    for one in result["compared"]:
        _say(
            f"{one['name']}: {one['first_ms']} ms, then {one['last_ms']} ms: {one['ratio']}; "
            f"of CPU {one['cpu_first_ms']} ms, then {one['cpu_last_ms']} ms: {one['cpu_ratio']}"
        )
    for one in result["bounded"]:
        _say(f"{one['name']}: {one['first']:,}, then {one['last']:,}: {one['ratio']}")
    sys.stdout.write(f"{'met' if result['met'] else 'NOT met'}\n")
    return 0 if result["met"] else 1


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
