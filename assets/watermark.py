"""The event watermark: an external asset that is fresh while the product meets its freshness SLO.

A freshness policy looks only at the wall time of the last materialization, which a backfill of an
old hour passes. So the policy stands on an asset of its own, which a sensor materializes only while
the event lag is within the SLO (assets/sensors/watermark.py).
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from assets.keys import Keys
from quality.objectives import freshness_objective

GRACE = timedelta(minutes=5)
"""How long the lag may be past the SLO before the asset is called stale: a few looks' time."""


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
            fail_window=limit + GRACE, warn_window=max(limit, timedelta(minutes=2))
        ),
    )
