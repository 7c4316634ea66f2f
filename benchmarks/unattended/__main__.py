"""Measure a stack that is left alone: memory, ticks, freshness, and what grows with history.

Starts a stack of its own as `headwater up` does, on free ports, sends to it at a steady rate, and looks
on. Exits with 1 when p95 of freshness is not below 10 s, a tick takes longer than 5 s or fails, a process
grows, or a record is not exactly one row.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks import results
from benchmarks.options import options_of
from benchmarks.unattended.document import document
from benchmarks.unattended.page import page, plot
from benchmarks.unattended.run import Order, measure
from pipeline.settings import load_settings

EXAMPLES = """\
examples:
  make bench-unattended                                          half an hour at 2,000 events a second
  python -m benchmarks.unattended --seconds 120 --out /tmp/alone a short one that leaves the docs alone
"""


def main() -> int:
    """Measure, write result, plot and page, and return the exit code."""
    order, out = _options()
    # So that SIGTERM stops the stack too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as home:
        measured = measure(replace(load_settings(), home=Path(home)), order, _say)
    result = document(order, measured)
    results.publish(result, "unattended", out, page(result), plot(result))
    for name, kept in result["promise"].items():
        if isinstance(kept, bool):
            sys.stdout.write(f"{name:<10} {'yes' if kept else 'NO'}\n")
    return 0 if result["met"] else 1


def _options() -> tuple[Order, Path | None]:
    options = options_of("unattended", __doc__, EXAMPLES)
    usual = Order()
    options.add_argument("--rate", type=float, default=usual.rate, help="events a second (2000)")
    options.add_argument("--seconds", type=float, default=usual.seconds, help="how long (1800)")
    options.add_argument(
        "--warm-up", type=float, default=usual.warm_up_s, help="seconds before that (60)"
    )
    options.add_argument(
        "--past", type=int, default=usual.past, help="events of the hours before (100000)"
    )
    options.add_argument(
        "--out", type=Path, help="folder for result, plot and page, instead of the project's own"
    )
    chosen = options.parse_args()
    if chosen.rate <= 0 or chosen.seconds <= 0 or chosen.past < 1 or chosen.warm_up < 0:
        options.error("--rate, --seconds and --past are above 0, --warm-up is not below")
    return Order(chosen.rate, chosen.seconds, chosen.warm_up, chosen.past), chosen.out


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
