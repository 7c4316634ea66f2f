"""The topic as ingest sees it: what it holds, and the records of given ranges."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from kafka import KafkaAdminClient, KafkaConsumer

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.ingest.model import RawRecord
from pipeline.ingest.plan import Range, TopicState
from pipeline.kafka.connect import connect_admin, connect_consumer
from pipeline.kafka.fetch import fetch
from pipeline.kafka.topics import (
    TopicIdentity,
    describe_topic,
    earliest_offsets,
    offsets_at,
    stable_offsets,
)


class StopAskedError(Exception):
    """The ingest was asked to stop, and the batch in hand is abandoned."""


class TopicChangedError(RetryableError):
    """The topic was recreated between two looks; the records read in between are not used."""


class Source:
    """A product's topic in one cell. Connects when first used, and again after `close`."""

    def __init__(self, cell: Cell, product: Product, stop: threading.Event) -> None:
        self._cell = cell
        self._product = product
        self._stop = stop
        self._admin: KafkaAdminClient | None = None
        self._consumer: KafkaConsumer | None = None

    def look(self, *, is_new: bool) -> TopicState:
        """Return what the topic holds now; `start` is looked up only where the table `is_new`.

        Raises:
            TopicMissingError, BrokerUnavailableError.
        """
        if self._admin is None:
            self._admin = connect_admin(self._cell)
        topic = self._product.topic
        identity = describe_topic(self._admin, topic.name)
        where = (self._admin, topic.name, identity.partitions)
        earliest = earliest_offsets(*where)
        stable = stable_offsets(*where)
        start = earliest
        if is_new and topic.start == "latest":
            start = stable
        elif is_new and isinstance(topic.start, datetime):
            start = offsets_at(*where, topic.start)
        return TopicState(identity, earliest, stable, start)

    def read(self, identity: TopicIdentity, ranges: Sequence[Range]) -> list[RawRecord]:
        """Return the committed records of `ranges` in (partition, offset) order.

        When it returns, the fetch has passed the end of every range, and the topic is still the one
        that `identity` names.

        Raises:
            StopAskedError: between two fetches.
            TopicChangedError: the topic was recreated while it was read.
            RetryableError: the broker stopped answering.
        """
        if not ranges:
            return []
        if self._consumer is None:
            self._consumer = connect_consumer(self._cell)
        wanted = {r.partition: (r.start, r.end) for r in ranges}
        records: list[RawRecord] = []
        for fetched in fetch(self._consumer, self._product.topic.name, wanted):
            if self._stop.is_set():
                raise StopAskedError
            for partition, batch in fetched.records.items():
                records.extend(
                    RawRecord(
                        partition=partition,
                        offset=record.offset,
                        record_time=record.timestamp * 1000,
                        key=record.key,
                        value=record.value,
                        headers=tuple(record.headers),
                    )
                    for record in batch
                )
        self._refuse_change(identity)
        records.sort(key=lambda record: (record.partition, record.offset))
        return records

    def _refuse_change(self, identity: TopicIdentity) -> None:
        # A fetch names its topic, not the topic's id: what came may be another topic's.
        if self._admin is None:
            self._admin = connect_admin(self._cell)
        now = describe_topic(self._admin, identity.topic)
        if (now.cluster_id, now.topic_id) != (identity.cluster_id, identity.topic_id):
            raise TopicChangedError(
                f"it became topic {now.topic_id} while topic {identity.topic_id} was read.",
                subject=f"topic {identity.topic}",
                remedy="Plan again: the next look decides.",
            )

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        for client in (self._admin, self._consumer):
            if client is not None:
                client.close()
        self._admin = self._consumer = None
