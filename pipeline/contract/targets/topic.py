"""The Kafka topic of a product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.contract.model import Product

MESSAGE_BYTES = 8 * 1_048_576
"""A topic takes records this large at least: the payload gate dead-letters what a broker let through."""
HEADER_BYTES = 1_048_576
"""By so much a dead letter with its reason may be larger than its record was."""


@dataclass(frozen=True)
class TopicConfig:
    """What the topic is created with; `config` is in Kafka's own names and texts."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def topic_config(product: Product) -> TopicConfig:
    """Return the product's topic.

    `retention.ms` is the contract's hot retention: Kafka's own. Warm retention is the events table's, and not
    Kafka's to know.
    """
    topic = product.topic
    return TopicConfig(
        name=topic.name,
        partitions=topic.partitions,
        replication=topic.replication,
        config={
            "cleanup.policy": topic.cleanup,
            "max.message.bytes": str(_message_bytes(product)),
            "message.timestamp.type": topic.record_time,
            "retention.ms": str(topic.retention.hot_ms),
        },
    )


def dead_letter_topic_config(product: Product) -> TopicConfig | None:
    """Return the compacted topic that the product's dead letters are fed to; None where it asks for none."""
    if product.dead_letter_topic is None:
        return None
    return TopicConfig(
        name=product.dead_letter_topic,
        partitions=product.topic.partitions,
        replication=product.topic.replication,
        config={
            "cleanup.policy": "compact",
            "max.message.bytes": str(_message_bytes(product) + HEADER_BYTES),
            "message.timestamp.type": "CreateTime",
        },
    )


def _message_bytes(product: Product) -> int:
    return max(MESSAGE_BYTES, 2 * product.gates.payload_bytes)
