"""The result of a measurement, as its JSON Schema describes it, and whether the promise is met."""

from __future__ import annotations

from typing import Any

from benchmarks.freshness.latency import between_s, series, summary, waits
from benchmarks.freshness.reader import POLL_S
from benchmarks.freshness.run import Measured, Order
from benchmarks.results import circumstances
from benchmarks.upkeep import Round

P95_S, P99_S, RATE_HELD = 10.0, 20.0, 0.99


def document(order: Order, measured: Measured) -> dict[str, Any]:
    """Return the document. `met` is null where fewer events a second were produced than asked for.

    What was never seen has no latency: a run that is not exactly once does not meet the promise.
    """
    steady, warm_up = measured.steady, measured.warm_up
    begin, end = steady.begin_ms, steady.end_ms
    freshness = summary(waits(measured.sightings, begin, end))
    seen = [s for s in measured.sightings if s.rows]
    rate_held = steady.rate >= RATE_HELD * order.rate
    met = (
        freshness is not None
        and measured.held.exact
        and freshness["p95_s"] < P95_S
        and freshness["p99_s"] < P99_S
    )
    return {
        "benchmark": "freshness",
        "format": 1,
        **circumstances(),
        "asked": {
            "rate": order.rate,
            "seconds": order.seconds,
            "warm_up_s": order.warm_up_s,
            "poll_s": POLL_S,
            "maintain_every_s": order.maintain_every_s,
        },
        "produced": {
            "records": steady.records,
            "rate": round(steady.rate, 1),
            "latest_tick_ms": round(steady.late_ms, 1),
        },
        "freshness": freshness,
        "warm_up": summary(waits(measured.sightings, 0, warm_up.end_ms)),
        "commits": {
            "count": measured.commits,
            "seen": len(seen),
            "between_s": between_s(seen),
        },
        "ingest": {
            "cpu_s": round(measured.cpu_s, 1),
            "cpu_s_per_million": round(
                measured.cpu_s * 1e6 / max(1, steady.records + warm_up.records), 2
            ),
            "peak_mb": round(measured.peak_mb, 1),
        },
        "maintenance": _maintenance(measured.rounds),
        "held": measured.held.document(),
        "promise": {"p95_s": P95_S, "p99_s": P99_S, "rate_held": rate_held},
        "met": met if rate_held or not met else None,
        "series": series(measured.sightings, begin),
    }


def _maintenance(rounds: list[Round]) -> dict[str, Any]:
    return {
        "rounds": len(rounds),
        "lost": sum(one.lost for one in rounds),
        "files": sum(one.files for one in rounds),
        "into": sum(one.into for one in rounds),
        "snapshots": sum(one.snapshots for one in rounds),
        "longest_s": round(max((one.seconds for one in rounds), default=0.0), 2),
    }
