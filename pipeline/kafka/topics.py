"""Topics: their identity, the offsets they hold, and making them as a contract says."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import UnknownTopicOrPartitionError

from pipeline.errors import RetryableError, TerminalError
from pipeline.kafka.errors import access_refused, named_errors
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.kafka_python_private import IsolationLevel
from pipeline.kafka.security.access import Access, Operation

log = logging.getLogger(__name__)

_UNKNOWN_TOPIC = 3
_TOPIC_REFUSED = 29


class TopicMissingError(TerminalError):
    """The cluster has no such topic."""


class TopicNotReadyError(RetryableError):
    """The cluster knows the topic and cannot serve all of it yet."""


def describe_topic(
    admin: KafkaAdminClient, topic: str, purpose: Operation = Operation.DESCRIBE
) -> TopicIdentity:
    """Return the identity of `topic`.

    `purpose` is what the caller is about to do with it. That is not asked for here: but where not even
    this is permitted, its is the ACL that the error names.

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
    if found["error_code"] == _TOPIC_REFUSED:
        raise access_refused(Access(purpose, topic), unseen=True)
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
    return "compact" in topic_settings(admin, topic)["cleanup.policy"].split(",")


def topic_settings(admin: KafkaAdminClient, topic: str) -> dict[str, str]:
    """Return the topic's settings, defaults among them, in Kafka's own names and texts.

    Raises:
        TopicMissingError, TopicNotReadyError, BrokerUnavailableError, KafkaAccessError.
    """
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, None)
    with named_errors(servers(admin)):
        answer = admin.describe_configs([resource], config_filter="all")
    found = answer["topic"][topic]
    if not found:
        # So the client tells of a topic that is missing, and of one whose settings are not to be seen.
        describe_topic(admin, topic, Operation.DESCRIBE_CONFIGS)
        raise access_refused(Access(Operation.DESCRIBE_CONFIGS, topic))
    return {name: str(one["value"]) for name, one in found.items()}


def require_access(admin: KafkaAdminClient, access: Access) -> None:
    """Raise KafkaAccessError where the cluster says that it does not permit `access`. Before 2.3 none says.

    Raises:
        KafkaAccessError: it does not.
        TopicMissingError, TopicNotReadyError, BrokerUnavailableError: as `describe_topic`.
    """
    describe_topic(admin, access.topic, access.operation)
    with named_errors(servers(admin)):
        permitted = admin.describe_topics([access.topic])[0].get("authorized_operations")
    if permitted is not None and access.operation.name not in permitted:
        raise access_refused(access)


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
    with named_errors(servers(admin), Access(Operation.DESCRIBE, topic)):
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
