"""The result of a measurement, as its JSON Schema describes it, and whether the promise is met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.backlog.drain import Sample
from benchmarks.backlog.run import HOURS, Measured, Order
from benchmarks.results import circumstances

BASE_MB = 450.0
"""What an ingest may take beside its setting: interpreter, libraries, compiled code."""
POINTS = 400
"""Samples that a result keeps at most."""


def document(order: Order, base_mb: float, partitions: int, measured: Measured) -> dict[str, Any]:
    """Return the document.

    `met` is null where the engine has no setting to honour, and false wherever a record is not
    exactly one row. `base_mb` is what an ingest may take beside its setting.
    """
    drained = measured.drained
    setting = drained.setting_mb
    allowed = None if setting is None else setting + base_mb
    honoured = None if allowed is None else drained.peak_mb <= allowed
    million = order.events / 1e6
    return {
        "benchmark": "backlog",
        "format": 1,
        **circumstances(),
        "asked": {
            "events": order.events,
            "partitions": partitions,
            "value_bytes": order.value_bytes,
            "hours": HOURS,
            "base_mb": base_mb,
        },
        "filled": {
            "seconds": round(measured.filled.seconds, 1),
            "rate": round(order.events / measured.filled.seconds),
        },
        "ingest": {
            "seconds": round(drained.seconds, 2),
            "rate": round(order.events / drained.seconds),
            "cpu_s": round(drained.cpu_s, 1),
            "cpu_s_per_million": round(drained.cpu_s / million, 2),
            "commits": drained.commits,
            "first_commit_s": drained.first_commit_s and round(drained.first_commit_s, 2),
        },
        "memory": {
            "setting_mb": setting,
            "idle_mb": round(drained.idle_mb, 1),
            "sampled_mb": round(max((s.rss_mb for s in drained.samples), default=0.0), 1),
            "peak_mb": round(drained.peak_mb, 1),
            "allowed_mb": allowed,
        },
        "files": measured.files,
        "skipping": measured.skipping,
        "held": measured.held.document(),
        "met": honoured if measured.held.exact else False,
        "series": series(drained.samples),
    }


def series(samples: Sequence[Sample]) -> list[dict[str, float]]:
    """Return at most `POINTS` points; each is the largest of the samples that it stands for."""
    each = -(-len(samples) // POINTS) or 1
    parts = [samples[first : first + each] for first in range(0, len(samples), each)]
    return [
        {
            "at_s": round(part[-1].at_s, 2),
            "rss_mb": round(max(sample.rss_mb for sample in part), 1),
            "events": part[-1].rows,
        }
        for part in parts
    ]
