"""Simulate late data under several policies, and count the rows of events that builds scan.

The planner is the real one; no Spark is started. Exits with 1 where no policy keeps the promise.
"""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

from benchmarks import results
from benchmarks.lateness.cases import bounds, jobs, simulate, viewing
from benchmarks.lateness.document import document, met
from benchmarks.lateness.page import page, plot
from benchmarks.options import options_of

EXAMPLES = """\
examples:
  make bench-lateness
  python -m benchmarks.lateness --days 3 --out /tmp/l   a short one that leaves the docs alone
"""


def main() -> int:
    """Simulate, write result, plot and page, and return the exit code."""
    options = options_of("lateness", __doc__, EXAMPLES)
    options.add_argument("--days", type=int, default=14, help="of events (14)")
    options.add_argument("--out", type=Path, help="folder for result, plot and page")
    chosen = options.parse_args()
    out: Path | None = chosen.out
    with multiprocessing.get_context("spawn").Pool() as pool:
        cases = list(pool.imap(simulate, jobs(chosen.days * 24)))
    result = document(cases, chosen.days * 24, *bounds(viewing()))
    results.publish(result, "lateness", out, page(result), plot(result))
    return 0 if any(met(result["cases"]).values()) else 1


if __name__ == "__main__":
    sys.exit(main())
