"""The topic that a product's dead letters are fed to."""

from __future__ import annotations

import dagster as dg

from assets.keys import Keys


def dead_letter_topic(keys: Keys) -> dg.AssetSpec:
    """Return the external asset of the topic; the sensor materializes it whenever something is sent."""
    return dg.AssetSpec(
        keys.dead_letter_topic,
        deps=[keys.dead_letters],
        group_name=keys.group,
        description="Open dead letters in Kafka, for teams that consume them; compacted.",
        kinds={"kafka"},
        owners=keys.owners,
        tags=keys.asset_tags,
        metadata={"topic": str(keys.product.dead_letter_topic)},
    )
