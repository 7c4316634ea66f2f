"""Topics made as contracts say, and how they differ from them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError, TopicAlreadyExistsError

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets.topic import TopicConfig, topic_config
from pipeline.errors import TerminalError
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import named_errors
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.security.access import Access, Operation
from pipeline.kafka.topics import (
    TopicMissingError,
    TopicNotReadyError,
    brokers,
    describe_topic,
    servers,
    topic_settings,
)

log = logging.getLogger(__name__)


class TopicRefusedError(TerminalError):
    """The cluster refused to make the topic as its contract says."""


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
    return ensure_made(cell, topic_config(product))


def ensure_made(cell: Cell, wanted: TopicConfig) -> TopicIdentity:
    """As `ensure_topic`, of any topic.

    Raises: as `ensure_topic`.
    """
    with connect_admin(cell) as admin:
        try:
            identity = describe_topic(admin, wanted.name, Operation.WRITE)
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
    replication = min(wanted.replication, brokers(admin))
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
    with named_errors(servers(admin), Access(Operation.CREATE, wanted.name)):
        try:
            admin.create_topics({wanted.name: new_topic})
        except AuthorizationError:
            raise
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
    with named_errors(servers(admin)):
        described = admin.describe_topics([wanted.name])[0]
    settings = topic_settings(admin, wanted.name)
    replication = min(wanted.replication, brokers(admin))
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
    for name, want in sorted(_capped(wanted.config, replication).items()):
        have = settings.get(name, "unknown to the broker")
        if have != want:
            found.append(Drift(DriftKind.CONFIG, name, want, have))
    return tuple(found)
