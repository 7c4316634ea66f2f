"""What a contract's service level objectives ask for, in units of this code."""

from __future__ import annotations

from datetime import timedelta

from pipeline.contract.model import Product

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def freshness_objective(product: Product) -> timedelta | None:
    """Return the longest event lag that the contract allows: its tightest freshness SLO on events.

    None where it has none. Those on aggregates do not count.
    """
    aggregates = {aggregate.name for aggregate in product.aggregates}
    limits = [
        timedelta(seconds=slo.value * SECONDS[slo.unit])
        for slo in product.slos
        if slo.property == "freshness" and slo.unit in SECONDS and slo.element not in aggregates
    ]
    return min(limits, default=None)
