"""Measure how long after it was produced an event can be queried.

A producer sends viewing events at a steady rate to a real broker, an ingest runs as in production,
and a reader polls the events table by PyIceberg and notes when it sees which rows. Exits with 1 when
p95 is not below 10 s, p99 not below 20 s, a record is not exactly one row, or the rate was not held.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.broker import own_cell
from benchmarks.freshness.document import document
from benchmarks.freshness.page import page, plot
from benchmarks.freshness.run import Order, measure
from benchmarks.options import options_of
from pipeline.contract.load import load_product
from pipeline.settings import load_settings

EXAMPLES = """\
examples:
  make bench-freshness                                         ten minutes at 20,000 events a second
  python -m benchmarks.freshness --maintain-every 60           the same while tables are maintained
  python -m benchmarks.freshness --rate 2000 --seconds 20 --out /tmp/freshness
                                                               a short one that leaves the docs alone
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    order, out = _options()
    product = load_product(load_settings().contracts / "viewing_events")
    with own_cell(_say) as (_, cell):
        measured = measure(cell, product, order, _say)
    result = document(order, measured)
    results.publish(result, "freshness", out, page(result), plot(result))
    _print(result)
    return 0 if result["met"] else 1


def _options() -> tuple[Order, Path | None]:
    options = options_of("freshness", __doc__, EXAMPLES)
    usual = Order()
    options.add_argument("--rate", type=float, default=usual.rate, help="events a second (20000)")
    options.add_argument("--seconds", type=float, default=usual.seconds, help="how long (600)")
    options.add_argument(
        "--warm-up", type=float, default=usual.warm_up_s, help="seconds before that (30)"
    )
    options.add_argument(
        "--maintain-every",
        type=float,
        metavar="SECONDS",
        help="maintain the tables meanwhile (never)",
    )
    options.add_argument(
        "--out", type=Path, help="folder for result, plot and page, instead of the project's own"
    )
    chosen = options.parse_args()
    if chosen.rate <= 0 or chosen.seconds <= 0 or chosen.warm_up < 0:
        options.error("--rate and --seconds are above 0, --warm-up is not below")
    if chosen.maintain_every is not None and chosen.maintain_every <= 0:
        options.error("--maintain-every is above 0")
    order = Order(chosen.rate, chosen.seconds, chosen.warm_up, chosen.maintain_every)
    return order, chosen.out


def _print(result: dict[str, Any]) -> None:
    fresh = result["freshness"] or {}
    figures = "  ".join(f"{k[:-2]} {v:.2f} s" for k, v in fresh.items() if k.endswith("_s"))
    said = {True: "met", False: "NOT met", None: "not judged: the rate was not held"}
    sys.stdout.write(
        f"{figures or 'no rows seen'}\n"
        f"{result['produced']['rate']:,.0f} events/s, {result['commits']['count']} commits, "
        f"exactly once: {result['held']['exact']}\npromise: {said[result['met']]}\n"
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
