"""Topics: their identity, the offsets they hold, and making them as a contract says."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError
from kafka.protocol.consumer import IsolationLevel, OffsetSpec

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets.topic import TopicConfig, topic_config
from pipeline.errors import RetryableError, TerminalError
from pipeline.kafka.connect import connect_admin, named_errors

log = logging.getLogger(__name__)

_UNKNOWN_TOPIC = 3


class TopicMissingError(TerminalError):
    """The cluster has no such topic."""


class TopicNotReadyError(RetryableError):
    """The cluster knows the topic and cannot serve all of it yet."""


class TopicRefusedError(TerminalError):
    """The cluster refused to make the topic as its contract says."""


@dataclass(frozen=True)
class TopicIdentity:
    """Which topic this is. A topic that was deleted and made again has another `topic_id`."""

    cluster_id: str
    topic: str
    topic_id: str
    partitions: tuple[int, ...]


class DriftKind(Enum):
    """What differs between a topic and its contract."""

    PARTITIONS = "partitions"
    REPLICATION = "replication"
    CONFIG = "config"


@dataclass(frozen=True)
class Drift:
    """One difference between a topic as it is and as its contract says."""

    kind: DriftKind
    name: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.name} is {self.found}, and the contract says {self.wanted}"


def describe_topic(admin: KafkaAdminClient, topic: str) -> TopicIdentity:
    """Return the identity of `topic`.

    Raises:
        TopicMissingError: there is none.
        TopicNotReadyError: a partition has no leader, or the topic is being made or deleted.
        BrokerUnavailableError, KafkaAccessError: no broker answered, or it refused.
    """
    with named_errors(_servers(admin)):
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


def ensure_topic(cell: Cell, product: Product) -> TopicIdentity:
    """Make the product's topic in `cell` as its contract says, unless it is there already.

    Safe to call at any time, by several processes. Replication is capped at the brokers present, and
    anything in which an existing topic differs from its contract is logged as a warning; an existing
    topic is never altered.

    Raises:
        TopicRefusedError: the cluster does not make such a topic.
        TopicNotReadyError: it was made, and is not served yet.
        BrokerUnavailableError, KafkaAccessError: no broker answered, or it refused.
    """
    wanted = topic_config(product)
    with connect_admin(cell) as admin:
        try:
            identity = describe_topic(admin, wanted.name)
        except TopicMissingError:
            _create(admin, wanted)
            return describe_topic(admin, wanted.name)
        for difference in _drift(admin, wanted):
            log.warning("topic %s: %s", wanted.name, difference)
        return identity


def topic_drift(cell: Cell, product: Product) -> tuple[Drift, ...]:
    """Return everything in which the product's topic differs from its contract.

    Raises:
        TopicMissingError, BrokerUnavailableError, KafkaAccessError.
    """
    with connect_admin(cell) as admin:
        describe_topic(admin, product.topic.name)
        return _drift(admin, topic_config(product))


def _create(admin: KafkaAdminClient, wanted: TopicConfig) -> None:
    replication = min(wanted.replication, _brokers(admin))
    if replication < wanted.replication:
        log.warning(
            "topic %s: replication is %d, not %d: the cluster has no more brokers",
            wanted.name,
            replication,
            wanted.replication,
        )
    new_topic = {
        "num_partitions": wanted.partitions,
        "replication_factor": replication,
        "configs": _capped(wanted.config, replication),
    }
    with named_errors(_servers(admin)):
        try:
            admin.create_topics({wanted.name: new_topic})
        except TopicAlreadyExistsError:
            log.debug("topic %s was made by another process", wanted.name)
        except KafkaError as error:
            if getattr(error, "retriable", False):
                raise
            raise TopicRefusedError(
                f"the cluster does not make it ({error}).",
                subject=f"topic {wanted.name}",
                remedy="Correct the topic in the contract, or let an administrator make it.",
            ) from error
        try:
            admin.wait_for_topics([wanted.name])
        except KafkaError as error:
            raise TopicNotReadyError(
                f"it was made, and is not served yet ({error}).",
                subject=f"topic {wanted.name}",
                remedy="Try again.",
            ) from error


def _capped(config: Mapping[str, str], replication: int) -> dict[str, str]:
    capped = dict(config)
    # More replicas in sync than there are would refuse every record.
    if int(capped.get("min.insync.replicas", 1)) > replication:
        capped["min.insync.replicas"] = str(replication)
    return capped


def _drift(admin: KafkaAdminClient, wanted: TopicConfig) -> tuple[Drift, ...]:
    with named_errors(_servers(admin)):
        described = admin.describe_topics([wanted.name])[0]
        resource = ConfigResource(ConfigResourceType.TOPIC, wanted.name, None)
        answer = admin.describe_configs([resource], config_filter="all")
    replication = min(wanted.replication, _brokers(admin))
    partitions = described["partitions"]
    replicas = min((len(p["replica_nodes"]) for p in partitions), default=0)
    numbers = (
        (DriftKind.PARTITIONS, "partitions", wanted.partitions, len(partitions)),
        (DriftKind.REPLICATION, "replication", replication, replicas),
    )
    found = [
        Drift(kind, name, str(want), str(have))
        for kind, name, want, have in numbers
        if want != have
    ]
    configs = answer["topic"][wanted.name]
    for name, want in sorted(_capped(wanted.config, replication).items()):
        have = str(configs[name]["value"]) if name in configs else "unknown to the broker"
        if have != want:
            found.append(Drift(DriftKind.CONFIG, name, want, have))
    return tuple(found)


def is_compacted(admin: KafkaAdminClient, topic: str) -> bool:
    """Return whether the topic's cleanup policy lets compaction remove records.

    Raises:
        TopicMissingError, BrokerUnavailableError, KafkaAccessError.
    """
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, None)
    with named_errors(_servers(admin)):
        try:
            answer = admin.describe_configs([resource], config_filter="all")
        except UnknownTopicOrPartitionError:
            raise _missing(topic) from None
    return "compact" in str(answer["topic"][topic]["cleanup.policy"]["value"]).split(",")


def _brokers(admin: KafkaAdminClient) -> int:
    with named_errors(_servers(admin)):
        brokers = admin.describe_cluster()["brokers"]
    return max(1, sum(not broker.get("is_fenced") for broker in brokers))


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
    with named_errors(_servers(admin)):
        try:
            found = admin.list_partition_offsets(specs, isolation_level=isolation)
        except UnknownTopicOrPartitionError:
            raise _missing(topic) from None
    return {tp.partition: answer.offset for tp, answer in sorted(found.items())}


def _missing(topic: str) -> TopicMissingError:
    return TopicMissingError(
        "no such topic.",
        subject=f"topic {topic}",
        remedy="Make it by producing to it: `headwater produce PRODUCT`.",
    )


def _servers(admin: KafkaAdminClient) -> str:
    return ",".join(admin.config["bootstrap_servers"])
