"""Measure the memory of an ingest that works off a backlog in 16 partitions.

A topic is filled, then an ingest works it off in a process of its own while its resident size is
sampled; another one has compiled before what is compiled once. Exits with 1 when the largest is over the
setting and the base, or when a record is not exactly one row. An engine without a setting is only measured.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks import filling, results
from benchmarks.backlog.document import BASE_MB, document
from benchmarks.backlog.page import page, plot
from benchmarks.backlog.run import Order, measure, warm_up
from benchmarks.broker import own_cell
from benchmarks.options import options_of

EXAMPLES = """\
examples:
  make bench-backlog                                           20 M events, the engine's own setting
  python -m benchmarks.backlog --memory-mb 512                 another setting
  python -m benchmarks.backlog --events 200000 --out /tmp/backlog
                                                               a short one that leaves the docs alone
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    chosen = _options()
    out: Path | None = chosen.out
    order = Order(chosen.events, chosen.value_bytes, chosen.memory_mb)
    with own_cell(_say) as (root, cell):
        warm_up(cell, filling.plain_product(root / "contracts", "warm_up"))
        product = filling.plain_product(root / "contracts")
        measured = measure(cell, product, order, _say)
    result = document(order, chosen.base_mb, product.topic.partitions, measured)
    results.publish(result, "backlog", out, page(result), plot(result))
    _print(result)
    return 1 if result["met"] is False else 0


def _options() -> argparse.Namespace:
    options = options_of("backlog", __doc__, EXAMPLES)
    options.add_argument("--events", type=int, default=Order.events, help="records (20000000)")
    options.add_argument(
        "--value-bytes", type=int, default=Order.value_bytes, help="length of their values (100)"
    )
    options.add_argument("--memory-mb", type=int, help="the setting (the engine's own)")
    options.add_argument(
        "--base-mb", type=float, default=BASE_MB, help=f"allowed beside it ({BASE_MB:g})"
    )
    options.add_argument(
        "--out", type=Path, help="folder for result, plot and page, instead of the project's own"
    )
    chosen = options.parse_args()
    if chosen.events < 1 or chosen.value_bytes < filling.SMALLEST:
        options.error(f"--events is above 0, --value-bytes at least {filling.SMALLEST}")
    return chosen


def _print(result: dict[str, Any]) -> None:
    memory, ingest, files = result["memory"], result["ingest"], result["files"]
    said = {True: "met", False: "NOT met", None: "not judged: the engine has no such setting"}
    sys.stdout.write(
        f"peak {memory['peak_mb']:,.0f} MB, allowed {memory['allowed_mb'] or '-'} MB\n"
        f"{ingest['rate']:,} events/s in {ingest['commits']} commits, {files['count']} data files of "
        f"{files['median_bytes'] / 1_048_576:.1f} MB (median)\n"
        f"exactly once: {result['held']['exact']}\npromise: {said[result['met']]}\n"
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
