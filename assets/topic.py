"""External assets: the Kafka topic and the reference data that events are enriched with."""

from __future__ import annotations

import dagster as dg

from assets.keys import Keys
from pipeline.contract.targets.topic import topic_config


def topic(keys: Keys) -> dg.AssetSpec:
    """Return the product's Kafka topic, as its contract configures it."""
    product = keys.product
    return dg.AssetSpec(
        keys.topic,
        group_name=keys.group,
        description=f"Kafka topic `{product.topic.name}`. {product.description}",
        kinds={"kafka", "avro"},
        owners=keys.owners,
        tags=keys.asset_tags,
        metadata={
            "topic": product.topic.name,
            "partitions": product.topic.partitions,
            "record time": product.topic.record_time,
            "envelope": product.topic.envelope,
            "value subject": product.value_subject,
            "payload subject": product.payload_subject,
            "configuration": dg.MetadataValue.json(dict(topic_config(product).config)),
        },
    )


def references(keys: Keys) -> list[dg.AssetSpec]:
    """Return the product's reference data."""
    return [
        dg.AssetSpec(
            keys.reference(reference),
            group_name=keys.group,
            description=f"Reference data, joined to each event on {', '.join(reference.on)}.",
            kinds={"file"},
            owners=keys.owners,
            tags=keys.asset_tags,
            metadata={
                "source": reference.source,
                "on": ", ".join(reference.on),
                "columns": ", ".join(reference.columns),
            },
        )
        for reference in keys.product.references
    ]
