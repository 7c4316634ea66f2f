"""Watermarks: external assets that are fresh while a table meets its freshness or latency SLO.

A freshness policy looks only at the wall time of the last materialization, which a backfill of an
old hour passes. So the policy stands on an asset of its own, which a sensor materializes only while
the event lag is within the SLO, or no hour is overdue (assets/sensors/watermark.py).
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from assets.keys import Keys, owners, tag
from pipeline.contract.model import DerivedTable
from pipeline.contract.objectives import freshness_objective, latency_objective
from pipeline.contract.settings.units import in_words

GRACE = timedelta(minutes=5)
"""How long the SLO may be missed before the asset is called stale: a few looks' time."""
SHORT = timedelta(minutes=2)
"""Without a look for as long, the asset is close to stale."""


def watermark(keys: Keys) -> dg.AssetSpec | None:
    """Return the product's watermark, or None where its contract has no freshness SLO."""
    limit = freshness_objective(keys.product)
    if limit is None:
        return None
    return dg.AssetSpec(
        keys.watermark,
        deps=[keys.events],
        group_name=keys.group,
        description=(
            f"Materialized while events reach the table within {limit.total_seconds():.0f} s of "
            "their record time."
        ),
        kinds={"iceberg"},
        owners=keys.owners,
        tags=keys.asset_tags,
        metadata={"objective (s)": limit.total_seconds()},
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=limit + GRACE, warn_window=max(limit, SHORT)
        ),
    )


def table_watermark(keys: Keys, derived_table: DerivedTable) -> dg.AssetSpec | None:
    """Return a derived table's watermark, or None where its contract has no latency SLO.

    An hour is overdue only once the SLO is missed, so the policy adds no more than the grace.
    """
    limit = latency_objective(keys.product, derived_table.name)
    if limit is None:
        return None
    return dg.AssetSpec(
        keys.table_watermark(derived_table),
        deps=[keys.derived_table(derived_table)],
        group_name=keys.group,
        description=(
            f"Materialized while every hour of {derived_table.name} is published within "
            f"{in_words(limit)} of its end."
        ),
        kinds={"iceberg"},
        owners=owners(derived_table.owner),
        tags={**keys.tags, "domain": tag(derived_table.domain)},
        metadata={"objective (s)": limit.total_seconds()},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=GRACE, warn_window=SHORT),
    )
