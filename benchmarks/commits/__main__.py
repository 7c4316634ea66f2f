"""Measure whether the five-thousandth commit is as fast as the first.

Commits small batches as ingest does, with compaction and expiry in between. Exits with 1 when the
median of any hundred commits is over twice the median of the first ten, or the ledger does not balance.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import filling, results
from benchmarks.commits.document import document, page, plot
from benchmarks.commits.run import Order, measure
from benchmarks.options import options_of

EXAMPLES = """\
examples:
  make bench-commits                                        5,000 commits
  python -m benchmarks.commits --commits 300 --out /tmp/c   a short one that leaves the docs alone
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    options = options_of("commits", __doc__, EXAMPLES)
    options.add_argument("--commits", type=int, default=Order.commits, help="how many (5000)")
    options.add_argument("--rows", type=int, default=Order.rows, help="rows of each (1000)")
    options.add_argument(
        "--maintain-every", type=int, default=Order.maintain_every, help="commits (100)"
    )
    options.add_argument("--out", type=Path, help="folder for result, plot and page")
    chosen = options.parse_args()
    out: Path | None = chosen.out
    order = Order(chosen.commits, chosen.rows, chosen.maintain_every)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        product = filling.plain_product(root / "contracts", partitions=4)
        measured = measure(root / "cell", product, order, _say)
    result = document(order, measured)
    results.publish(result, "commits", out, page(result), plot(result))
    sys.stdout.write(
        f"first ten {result['first_ten_ms']} ms, slowest window {result['slowest_ms']} ms, "
        f"ratio {result['ratio']}: {'met' if result['met'] else 'NOT met'}\n"
    )
    return 0 if result["met"] else 1


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
