"""Topics: their identity, the offsets they hold, and making them as a contract says."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import UnknownTopicOrPartitionError

from pipeline.errors import RetryableError, TerminalError
from pipeline.kafka.errors import named_errors
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.kafka_python_private import IsolationLevel

log = logging.getLogger(__name__)

_UNKNOWN_TOPIC = 3


class TopicMissingError(TerminalError):
    """The cluster has no such topic."""


class TopicNotReadyError(RetryableError):
    """The cluster knows the topic and cannot serve all of it yet."""


def describe_topic(admin: KafkaAdminClient, topic: str) -> TopicIdentity:
    """Return the identity of `topic`.

    Raises:
        TopicMissingError: there is none.
        TopicNotReadyError: a partition has no leader, or the topic is being made or deleted.
        BrokerUnavailableError, KafkaAccessError: no broker answered, or it refused.
    """
    with named_errors(servers(admin)):
        cluster_id = admin.describe_cluster()["cluster_id"]
        found = admin.describe_topics([topic])[0]
    # A missing topic is an answer, not an exception.
    if found["error_code"] == _UNKNOWN_TOPIC:
        raise _missing(topic)
    if found["error_code"]:
        raise TopicNotReadyError(
            f"the cluster answers with error {found['error_code']}.",
            subject=f"topic {topic}",
            remedy="Try again.",
        )
    partitions = tuple(sorted(p["partition_index"] for p in found["partitions"]))
    return TopicIdentity(str(cluster_id), topic, str(found["topic_id"]), partitions)


def earliest_offsets(
    admin: KafkaAdminClient, topic: str, partitions: Sequence[int]
) -> dict[int, int]:
    """Return partition -> the first offset that Kafka still holds.

    Raises:
        TopicMissingError, BrokerUnavailableError, KafkaAccessError.
    """
    return _offsets(admin, topic, partitions, OffsetSpec.EARLIEST, IsolationLevel.READ_UNCOMMITTED)


def stable_offsets(
    admin: KafkaAdminClient, topic: str, partitions: Sequence[int]
) -> dict[int, int]:
    """Return partition -> its last stable offset: the first offset of the oldest open transaction.

    Where no transaction is open it is the high watermark. Every record below it is decided.

    Raises:
        TopicMissingError, BrokerUnavailableError, KafkaAccessError.
    """
    # Said explicitly: the client's default is the high watermark.
    return _offsets(admin, topic, partitions, OffsetSpec.LATEST, IsolationLevel.READ_COMMITTED)


def high_watermarks(
    admin: KafkaAdminClient, topic: str, partitions: Sequence[int]
) -> dict[int, int]:
    """Return partition -> its high watermark; records of open transactions stand below it.

    Raises:
        TopicMissingError, BrokerUnavailableError, KafkaAccessError.
    """
    return _offsets(admin, topic, partitions, OffsetSpec.LATEST, IsolationLevel.READ_UNCOMMITTED)


def offsets_at(
    admin: KafkaAdminClient, topic: str, partitions: Sequence[int], instant: datetime
) -> dict[int, int]:
    """Return partition -> the first offset whose record time is `instant` or later.

    Where there is none it is the last stable offset. Records after it may be older, where record times
    are the producer's: this is a place to start from, not a boundary in time.

    Raises:
        ValueError: `instant` has no time zone.
        TopicMissingError, BrokerUnavailableError, KafkaAccessError.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone")
    millis = int(instant.timestamp() * 1000)
    found = _offsets(admin, topic, partitions, millis, IsolationLevel.READ_COMMITTED)
    ends = stable_offsets(admin, topic, partitions)
    return {p: ends[p] if offset < 0 else min(offset, ends[p]) for p, offset in found.items()}


def is_compacted(admin: KafkaAdminClient, topic: str) -> bool:
    """Return whether the topic's cleanup policy lets compaction remove records.

    Raises:
        TopicMissingError, BrokerUnavailableError, KafkaAccessError.
    """
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, None)
    with named_errors(servers(admin)):
        try:
            response = admin.describe_configs([resource], config_filter="all")
        except UnknownTopicOrPartitionError:
            raise _missing(topic) from None
    return "compact" in str(response["topic"][topic]["cleanup.policy"]["value"]).split(",")


def brokers(admin: KafkaAdminClient) -> int:
    """Return how many brokers are there and not fenced, at least 1.

    Raises:
        BrokerUnavailableError, KafkaAccessError: no broker answered, or it refused.
    """
    with named_errors(servers(admin)):
        found = admin.describe_cluster()["brokers"]
    return max(1, sum(not broker.get("is_fenced") for broker in found))


def _offsets(
    admin: KafkaAdminClient,
    topic: str,
    partitions: Sequence[int],
    spec: OffsetSpec | int,
    isolation: IsolationLevel,
) -> dict[int, int]:
    if not partitions:
        return {}
    specs = {TopicPartition(topic, partition): spec for partition in partitions}
    with named_errors(servers(admin)):
        try:
            found = admin.list_partition_offsets(specs, isolation_level=isolation)
        except UnknownTopicOrPartitionError:
            raise _missing(topic) from None
    return {tp.partition: response.offset for tp, response in sorted(found.items())}


def _missing(topic: str) -> TopicMissingError:
    return TopicMissingError(
        "no such topic.",
        subject=f"topic {topic}",
        remedy="Make it by producing to it: `headwater produce PRODUCT`.",
    )


def servers(admin: KafkaAdminClient) -> str:
    """Return the addresses that `admin` was given, for messages."""
    return ",".join(admin.config["bootstrap_servers"])
