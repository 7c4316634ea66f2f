"""Every record that a read-committed consumer can be given of a topic. Imports nothing under test."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

TIMEOUT_S = 30.0

UuidOf = Callable[[bytes], str | None]


class TopicUnreadableError(Exception):
    """The topic does not exist, or a record did not come in time."""


@dataclass(frozen=True)
class ConsumedPartition:
    """One record. `uuid` is None where the value does not say one."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    uuid: str | None


@dataclass(frozen=True)
class Holes:
    """Offsets of a topic at which a read-committed consumer is given nothing.

    Attributes:
        aborted: records of aborted transactions.
        control: markers that end transactions. In a compacting topic, what was compacted away too.
    """

    aborted: int
    control: int


def count_holes(bootstrap_servers: str, topic: str) -> Holes:
    """Count what the broker keeps to itself, by what else it gives who reads uncommitted.

    No transaction may be open, and no offset deleted.

    Raises:
        TopicUnreadableError: as `read_topic`.
    """
    committed = read_topic(bootstrap_servers, topic, None)
    every = read_topic(bootstrap_servers, topic, None, isolation="read_uncommitted")
    consumer = Consumer(
        {"bootstrap.servers": bootstrap_servers, "group.id": "independent-verifier"}
    )
    try:
        offsets = sum(
            consumer.get_watermark_offsets(TopicPartition(topic, p.id), timeout=TIMEOUT_S)[1]
            for p in _describe(bootstrap_servers, topic).partitions
        )
    finally:
        consumer.close()
    return Holes(aborted=len(every) - len(committed), control=offsets - len(every))


def read_topic(
    bootstrap_servers: str,
    topic: str,
    uuid_of: UuidOf | None,
    *,
    isolation: str = "read_committed",
) -> list[ConsumedPartition]:
    """Return every record of `topic` up to its last stable offsets, as they are now.

    Read uncommitted, up to its ends, those of aborted transactions too. `uuid_of` tells the uuid of a value.

    Raises:
        TopicUnreadableError: no such topic, or nothing came for `TIMEOUT_S` seconds.
    """
    partitions = sorted(_describe(bootstrap_servers, topic).partitions, key=lambda p: int(p.id))
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "independent-verifier",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "auto.offset.reset": "earliest",
            # Read-committed, a partition ends where its first open transaction begins.
            "enable.partition.eof": True,
            "fetch.message.max.bytes": 20_000_000,
            "fetch.wait.max.ms": 50,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, p.id, 0) for p in partitions])
        return _drain(consumer, {p.id for p in partitions}, uuid_of)
    finally:
        consumer.close()


def topic_id(bootstrap_servers: str, topic: str) -> str:
    """Return Kafka's id of the topic, written as a UUID.

    Raises:
        TopicUnreadableError: no such topic.
    """
    text = str(_describe(bootstrap_servers, topic).topic_id)
    return str(uuid.UUID(bytes=base64.urlsafe_b64decode(text + "==")))


def _describe(bootstrap_servers: str, topic: str) -> Any:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    try:
        return admin.describe_topics(TopicCollection([topic]))[topic].result(TIMEOUT_S)
    except KafkaException as error:
        raise TopicUnreadableError(f"{topic}: {error}") from error


def _drain(
    consumer: Consumer, unfinished: set[int], uuid_of: UuidOf | None
) -> list[ConsumedPartition]:
    found: list[ConsumedPartition] = []
    heard = time.monotonic()
    while unfinished:
        messages = consumer.consume(10_000, timeout=0.1)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > TIMEOUT_S:
            raise TopicUnreadableError(f"nothing more came of partitions {sorted(unfinished)}")
        for message in messages:
            error, partition, offset = message.error(), message.partition(), message.offset()
            if partition is None or offset is None:
                raise TopicUnreadableError(str(error))
            if error is None:
                value = message.value()
                own = None if uuid_of is None or value is None else uuid_of(value)
                found.append(ConsumedPartition(partition, offset, message.key(), value, own))
            elif error.code() == KafkaError._PARTITION_EOF:
                unfinished.discard(partition)
            else:
                raise TopicUnreadableError(str(error))
    return found
