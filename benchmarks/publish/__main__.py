"""Measure how long an audited hour takes to be what readers see.

Builds all tables of many hours in a new cell, one after the other. Exits with 1 when the 95th percentile of
publishing is 2 s or more.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import results
from benchmarks.options import options_of
from benchmarks.publish.document import document, page, plot
from benchmarks.publish.run import Order, measure
from headwater.stack.jars import ensure_jars
from pipeline.settings import load_settings

EXAMPLES = """\
examples:
  make bench-publish                                                60 hours
  python -m benchmarks.publish --hours 5 --events 500 --out /tmp/p  a short one that leaves the docs alone
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    options = options_of("publish", __doc__, EXAMPLES)
    options.add_argument("--hours", type=int, default=Order.hours, help="how many (60)")
    options.add_argument("--events", type=int, default=Order.events, help="of each (5000)")
    options.add_argument("--out", type=Path, help="folder for result, plot and page")
    chosen = options.parse_args()
    if min(chosen.hours, chosen.events) < 1:
        options.error("--hours and --events are 1 or more")
    order = Order(chosen.hours, chosen.events)
    ensure_jars(load_settings().cache, "spark", _say)
    with tempfile.TemporaryDirectory(prefix="headwater-publish-") as folder:
        result = document(order, measure(Path(folder), order, _say))
    results.publish(result, "publish", chosen.out, page(result), plot(result))
    whole = result["publish"]
    sys.stdout.write(
        f"{whole['count']} publishings: median {whole['median_s']} s, p95 {whole['p95_s']} s, "
        f"largest {whole['largest_s']} s: {'met' if result['met'] else 'NOT met'}\n"
    )
    return 0 if result["met"] else 1


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
