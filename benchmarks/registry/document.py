"""The result of a measurement, and its page."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.registry.run import Measured, Order
from benchmarks.results import circumstances

MOST_P95_MS = 20.0


def document(order: Order, measured: Measured) -> dict[str, Any]:
    """Return the document; times in milliseconds."""
    took = sorted(seconds * 1000 for seconds in measured.took)
    p95 = took[int(len(took) * 0.95)]
    first = min(measured.ids)
    whole = sorted(measured.ids) == [*range(first, first + len(took))]
    return {
        "benchmark": "registry",
        "format": 1,
        **circumstances(),
        "asked": {"clients": order.clients, "schemas": order.schemas},
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(p95, 1),
        "largest_ms": round(took[-1], 1),
        "server_cpu_ms": round(measured.server_cpu_s * 1000 / len(took), 2),
        "no_hole_no_double": whole,
        "met": whole and p95 < MOST_P95_MS,
    }


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    asked, machine = result["asked"], result["machine"]
    return f"""\
# Registering schemas

<!-- Written by `make bench-registry` from benchmarks/results/registry.json. -->

The promise: while {asked["clients"]} processes register {asked["schemas"]} schemas each over HTTP, 95 of 100
calls are answered in less than {MOST_P95_MS:.0f} ms, and ids have no hole and no double. \
It is {"" if result["met"] else "**not** "}met.

| | |
| --- | --- |
| median | {result["median_ms"]:,} ms |
| 95th percentile | {result["p95_ms"]:,} ms |
| largest | {result["largest_ms"]:,} ms |
| the server's processor time a call | {result["server_cpu_ms"]} ms |
| ids | {"no hole, no double" if result["no_hole_no_double"] else "**with holes or doubles**"} |
| machine | {machine["cores"]} cores, {machine["processor"]}; the clients are on them |

Each client sends its next schema when the last is answered. All are different, under ten subjects, and
each is held against all versions that its subject has by then, under `BACKWARD_TRANSITIVE`.

`make bench-registry` measures again. The result's form is `benchmarks/schema/registry.schema.json`.
"""
