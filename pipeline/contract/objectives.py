"""What a contract's service level objectives ask for, in units of this code."""

from __future__ import annotations

from datetime import timedelta

from pipeline.contract.model import Product, Slo
from pipeline.contract.targets.openslo import RATIO_UNITS, SECONDS


def freshness_objective(product: Product) -> timedelta | None:
    """Return the longest event lag that the contract allows: its tightest freshness SLO on events.

    None where it has none. Those on derived tables do not count.
    """
    derived_tables = {derived_table.name for derived_table in product.derived_tables}
    limits = [
        _limit(slo)
        for slo in product.slos
        if slo.property == "freshness" and slo.unit in SECONDS and slo.element not in derived_tables
    ]
    return min(limits, default=None)


def most_invalid(product: Product) -> float | None:
    """Return the largest share of records that need not become rows, by its tightest SLO on completeness.

    None where it has none. Those on derived tables do not count.
    """
    derived_tables = {derived_table.name for derived_table in product.derived_tables}
    shares = [
        1 - slo.value / 100
        for slo in product.slos
        if slo.property == "completeness"
        and slo.unit in RATIO_UNITS
        and slo.element not in derived_tables
    ]
    return min(shares, default=None)


def latency_slo(product: Product, table: str) -> Slo | None:
    """Return the tightest latency SLO on the derived table of that name; None where it has none."""
    found = [
        slo
        for slo in product.slos
        if slo.property == "latency" and slo.unit in SECONDS and slo.element == table
    ]
    return min(found, key=_limit, default=None)


def latency_objective(product: Product, table: str) -> timedelta | None:
    """Return how long after its end an hour of the table may be published; None without such an SLO."""
    slo = latency_slo(product, table)
    return None if slo is None else _limit(slo)


def _limit(slo: Slo) -> timedelta:
    return timedelta(seconds=slo.value * SECONDS[slo.unit])
