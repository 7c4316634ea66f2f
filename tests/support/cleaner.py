"""Kafka's log cleaner, made to work at once."""

from __future__ import annotations

import time
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

AT_ONCE = {
    "cleanup.policy": "compact",
    "segment.ms": "1",
    "min.cleanable.dirty.ratio": "0.0",
    "max.compaction.lag.ms": "1",
    "delete.retention.ms": "1",
}
"""Settings of a topic under which every closed segment is cleaned as soon as the cleaner looks."""


def hurry_cleaner(bootstrap_servers: str) -> None:
    """Let the broker's cleaner look for work twice a second instead of every 15 seconds."""
    _alter(bootstrap_servers, ResourceType.BROKER, "1", {"log.cleaner.backoff.ms": "500"})


def configure(bootstrap_servers: str, topic: str, config: Mapping[str, str]) -> None:
    """Set the topic's `config`."""
    _alter(bootstrap_servers, ResourceType.TOPIC, topic, config)


def wait_until_cleaned(bootstrap_servers: str, topic: str, most: int, within_s: float = 60) -> int:
    """Wait until no more than `most` records of partition 0 can be read; return how many can.

    Raises:
        AssertionError: there were more after `within_s`.
    """
    deadline = time.monotonic() + within_s
    while (left := count(bootstrap_servers, topic)) > most:
        assert time.monotonic() < deadline, f"{left} records are left"
        time.sleep(0.2)
    return left


def count(bootstrap_servers: str, topic: str) -> int:
    """Return how many records of partition 0 a read-committed consumer is given."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "cleaner",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        seen = 0
        while True:
            for message in consumer.consume(1_000, timeout=0.1):
                if message.error() is not None:
                    return seen
                seen += 1
    finally:
        consumer.close()


def _alter(
    bootstrap_servers: str, kind: ResourceType, name: str, config: Mapping[str, str]
) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        for key, value in config.items()
    ]
    resource = ConfigResource(kind, name, incremental_configs=entries)
    (future,) = admin.incremental_alter_configs([resource]).values()
    future.result(30)
