"""Measure how long a registration takes while several processes register over HTTP.

Exits with 1 when the 95th percentile is 20 ms or more, or ids have a hole or a double.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import results
from benchmarks.options import options_of
from benchmarks.registry.document import document, page
from benchmarks.registry.run import Order, measure

EXAMPLES = """\
examples:
  make bench-registry                          1,000 schemas from 8 processes
  python -m benchmarks.registry --out /tmp/r   the same, and leaves the docs alone
"""


def main() -> int:
    """Measure, write result and page, and return the exit code."""
    options = options_of("registry", __doc__, EXAMPLES)
    options.add_argument("--clients", type=int, default=Order.clients, help="processes (8)")
    options.add_argument("--schemas", type=int, default=Order.schemas, help="of each (125)")
    options.add_argument("--out", type=Path, help="folder for result and page")
    chosen = options.parse_args()
    order = Order(chosen.clients, chosen.schemas)
    with tempfile.TemporaryDirectory() as folder:
        result = document(order, measure(Path(folder), order))
    results.publish(result, "registry", chosen.out, page(result))
    sys.stdout.write(
        f"median {result['median_ms']} ms, p95 {result['p95_ms']} ms, server {result['server_cpu_ms']} ms"
        f" of processor time each: {'met' if result['met'] else 'NOT met'}\n"
    )
    return 0 if result["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
