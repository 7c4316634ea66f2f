"""The result of a measurement, as its JSON Schema describes it, and whether the promise is met."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from benchmarks.freshness.latency import series, summary, waits
from benchmarks.results import circumstances
from benchmarks.unattended.run import SAMPLE_S, Measured, Order

P95_S, TICK_S, RATE_HELD = 10.0, 5.0, 0.99


def document(order: Order, measured: Measured) -> dict[str, Any]:
    """Return the document. `met` is null where fewer events a second were produced than asked for."""
    steady = measured.steady
    freshness = summary(waits(measured.sightings, steady.begin_ms, steady.end_ms))
    longest = max((one.longest_s for one in measured.ticks), default=0.0)
    judged = {
        "fresh": freshness is not None and freshness["p95_s"] < P95_S,
        "ticks": 0 < longest < TICK_S and not any(one.failed for one in measured.ticks),
        "flat": bool(measured.memory) and all(one.flat for one in measured.memory),
        "exact": measured.held.exact and measured.balanced,
    }
    rate_held = steady.rate >= RATE_HELD * order.rate
    met = all(judged.values())
    return {
        "benchmark": "unattended",
        "format": 1,
        **circumstances(),
        "asked": {**asdict(order), "sample_s": SAMPLE_S},
        "produced": {"records": steady.records, "rate": round(steady.rate, 1)},
        "freshness": freshness,
        "ticks": [
            {
                **asdict(one),
                "median_s": round(one.median_s, 2),
                "longest_s": round(one.longest_s, 2),
            }
            for one in measured.ticks
        ],
        "memory": [
            {
                "name": one.name,
                "growth_mb": round(one.growth_mb, 1),
                "flat": one.flat,
                "samples": [[round(at_s), round(mb, 1)] for at_s, mb in one.samples],
            }
            for one in measured.memory
        ],
        "sizes": [{**asdict(one), "at_s": round(one.at_s)} for one in measured.sizes],
        "hours_published": measured.hours_published,
        "held": measured.held.document(),
        "balanced": measured.balanced,
        "promise": {"p95_s": P95_S, "tick_s": TICK_S, "rate_held": rate_held, **judged},
        "met": met if rate_held or not met else None,
        "series": series(measured.sightings, steady.begin_ms),
    }
