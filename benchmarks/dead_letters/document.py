"""The result of a measurement."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.dead_letters.queries import COUNT, LIST, Query
from benchmarks.dead_letters.run import Order, Replayed
from benchmarks.dead_letters.work import Took
from benchmarks.results import circumstances

MOST_LIST_S = 1.0
"""What the 95th percentile of a list, and of a count by fate and reason, is below."""
LEAST_REPLAYED = 20_000
"""Events that are replayed in a second, at least."""


def document(order: Order, few: Replayed, many: Replayed) -> dict[str, Any]:
    """Return the document; times in seconds, rates in events a second."""
    queries = [_query(one) for one in many.queries]
    slowest = max(one["p95_s"] for one in queries if one["query"] in (LIST, COUNT))
    replay = many.replay.count / many.replay.seconds
    once = few.once and many.once
    return {
        "benchmark": "dead_letters",
        "format": 1,
        **circumstances(),
        "asked": {
            "dead_letters": order.letters,
            "few": order.few,
            "value_bytes": order.value_bytes,
        },
        "queries": queries,
        "runs": [_run(one) for one in (few, many)],
        "ratio": round(replay * many.by_hand.seconds / many.by_hand.count, 2),
        "every_event_one_row": once,
        "slowest_p95_s": slowest,
        "met": once and slowest < MOST_LIST_S and replay >= LEAST_REPLAYED,
    }


def _query(one: Query) -> dict[str, Any]:
    return {"query": one.name, "when": one.when, **_spread(one.seconds)}


def _spread(seconds: Sequence[float]) -> dict[str, Any]:
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "p50_s": round(statistics.median(ordered), 3),
        "p95_s": round(ordered[int(len(ordered) * 0.95)], 3),
    }


def _run(one: Replayed) -> dict[str, Any]:
    return {
        "dead_letters": one.held.sent,
        "made": _took(one.made),
        "plan": _took(one.plan),
        "by_hand": _took(one.by_hand),
        "replay": _took(one.replay),
        "landed": _took(one.landed),
        "held": {
            "rows": one.held.rows,
            "coordinates": one.held.coordinates,
            "uuids": one.held.uuids,
            "dead_letters": one.held.dead_letters,
        },
        "fates": one.fates,
    }


def _took(one: Took) -> dict[str, Any]:
    return {
        "count": one.count,
        "seconds": round(one.seconds, 2),
        "rate": round(one.count / one.seconds),
        "before_mb": round(one.before_mb),
        "peak_mb": round(one.peak_mb),
    }
