"""The result of a measurement, its plot and its page."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.commits.run import FIRST, WINDOW, Measured, Order
from benchmarks.results import circumstances
from benchmarks.svg import Limit, Line, chart

MOST = 2.0
"""How much slower than the first ten commits a hundred may be."""


def document(order: Order, measured: Measured) -> dict[str, Any]:
    """Return the document; times in milliseconds."""
    sound = measured.balanced and measured.rows == order.commits * order.rows
    return {
        "benchmark": "commits",
        "format": 1,
        **circumstances(),
        "asked": {
            "commits": order.commits,
            "rows": order.rows,
            "maintain_every": order.maintain_every,
        },
        "first_ten_ms": round(measured.base.median * 1000, 1),
        "slowest_ms": round(max(w.median for w in measured.windows) * 1000, 1),
        "ratio": round(measured.worst, 2),
        "maintenance_ms": {
            "runs": len(measured.maintenance_s),
            "median": round(statistics.median(measured.maintenance_s or (0.0,)) * 1000, 1),
            "largest": round(max(measured.maintenance_s, default=0.0) * 1000, 1),
        },
        "rows": measured.rows,
        "balanced": measured.balanced,
        "met": sound and measured.worst <= MOST,
        "windows": [
            {
                "first": w.first,
                "median_ms": round(w.median * 1000, 1),
                "p95_ms": round(w.p95 * 1000, 1),
            }
            for w in measured.windows
        ],
    }


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of commit latency over the number of commits."""
    lines = [
        Line(name, [(w["first"] + WINDOW, w[key]) for w in result["windows"]])
        for name, key in (("median", "median_ms"), ("p95", "p95_ms"))
    ]
    limits = [
        Limit(f"median of the first {FIRST}", result["first_ten_ms"]),
        Limit("twice that", MOST * result["first_ten_ms"]),
    ]
    return chart("Latency of a commit", "commits", "ms", lines, limits)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    asked, upkeep, machine = result["asked"], result["maintenance_ms"], result["machine"]
    return f"""\
# Commits

<!-- Written by `make bench-commits` from benchmarks/results/commits.json. -->

The promise: after {asked["commits"]:,} commits, with simple expiry and compaction in between, a commit
takes at most twice as long as the first ten did. {"It is met." if result["met"] else "It is **not** met."}

| | |
| --- | --- |
| first ten, median | {result["first_ten_ms"]:,} ms |
| slowest hundred, median | {result["slowest_ms"]:,} ms: {result["ratio"]} times as long |
| maintenance | every {asked["maintain_every"]} commits, median {upkeep["median"]:,} ms, \
largest {upkeep["largest"]:,} ms |
| in the table | {result["rows"]:,} rows; the ledger {"balances" if result["balanced"] else "does not"} |
| machine | {machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB |

![Latency of a commit](../images/bench-commits.svg)

A commit is what ingest makes of a small batch: both tables loaded, a file for each of two hours written,
the dead letters' offsets committed and then the events'. What would grow without maintenance: the list
of snapshots in the metadata (each carries its ledger entries), the manifest list (a manifest a commit),
and the files that a scan opens. Expiry and compaction run in between, not beside, so that what they
take stands apart.

`make bench-commits` measures again. The result's form is `benchmarks/schema/commits.schema.json`.
"""
