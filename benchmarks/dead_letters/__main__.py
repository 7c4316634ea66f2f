"""Make dead letters, and measure how long it takes to find, plan and replay them.

Exits with 1 when an event is not one row, when the 95th percentile of a list or count is a second or more,
or fewer than 20,000 a second are replayed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import results
from benchmarks.broker import own_cell
from benchmarks.dead_letters.document import document
from benchmarks.dead_letters.page import page
from benchmarks.dead_letters.run import Order, measure, warm_up_product
from benchmarks.options import options_of

EXAMPLES = """\
examples:
  make bench-dead-letters                                                  100,000 of 500 bytes (3 min)
  python -m benchmarks.dead_letters --letters 5000 --few 500 --out /tmp/d  a short one, leaves the docs alone
"""


def main() -> int:
    """Measure, write result and page, and return the exit code."""
    options = options_of("dead_letters", __doc__, EXAMPLES)
    options.add_argument("--letters", type=int, default=Order.letters, help="dead letters (100000)")
    options.add_argument("--few", type=int, default=Order.few, help="to compare memory (10000)")
    options.add_argument("--bytes", type=int, default=Order.value_bytes, help="a value (500)")
    options.add_argument("--out", type=Path, help="folder for result and page")
    chosen = options.parse_args()
    if not 0 < chosen.few < chosen.letters:
        options.error("--few is above 0 and below --letters")
    order = Order(chosen.letters, chosen.few, chosen.bytes)
    with own_cell(_say) as (root, cell):
        warm_up = warm_up_product(root, cell, order)
        few, many = (
            measure(root, cell, warm_up, order, n, _say) for n in (order.few, order.letters)
        )
    result = document(order, few, many)
    results.publish(result, "dead_letters", chosen.out, page(result))
    replay = result["runs"][-1]["replay"]
    sys.stdout.write(
        f"p95 of lists and counts {result['slowest_p95_s']} s, {replay['rate']:,} replayed a second, "
        f"{replay['peak_mb']:,} MB: {'met' if result['met'] else 'NOT met'}\n"
    )
    return 0 if result["met"] else 1


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
