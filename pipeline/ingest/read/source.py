"""The topic as ingest sees it: what it holds, and the records of given ranges."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from datetime import datetime

from kafka import KafkaAdminClient

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.context import StopRequestedError
from pipeline.ingest.model import Range, RecordChunk, TopicState
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.fetch import TopicChangedError, fetch
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.network import Network
from pipeline.kafka.record_batches import BatchSlice, FetchedRange, Gap, GapKind
from pipeline.kafka.records import frame
from pipeline.kafka.security.access import Operation
from pipeline.kafka.topics import (
    describe_topic,
    earliest_offsets,
    is_compacted,
    offsets_at,
    stable_offsets,
)
from pipeline.kafka.uncompressed import UncompressedRecords


class Source:
    """A product's topic in one cell. Connects when first used, and again after `close`."""

    def __init__(self, cell: Cell, product: Product, stop: threading.Event) -> None:
        self._cell = cell
        self._product = product
        self._stop = stop
        self._admin: KafkaAdminClient | None = None
        self._network: Network | None = None

    def topic_state(self, *, is_new: bool) -> TopicState:
        """Return what the topic holds now; `start` is looked up only where the table `is_new`.

        Raises:
            TopicMissingError, TopicNotReadyError, BrokerUnavailableError, KafkaAccessError.
        """
        if self._admin is None:
            self._admin = connect_admin(self._cell)
        topic = self._product.topic
        identity = describe_topic(self._admin, topic.name, Operation.READ)
        where = (self._admin, topic.name, identity.partitions)
        earliest = earliest_offsets(*where)
        stable = stable_offsets(*where)
        start = earliest
        if is_new and topic.start == "latest":
            start = stable
        elif is_new and isinstance(topic.start, datetime):
            start = offsets_at(*where, topic.start)
        return TopicState(identity, earliest, stable, start)

    def read(
        self, identity: TopicIdentity, ranges: Sequence[Range], memory_bytes: int
    ) -> Generator[RecordChunk, None, None]:
        """Yield the committed records of `ranges` in chunks, each partition's in the order of offsets.

        May be ended after any chunk: what was yielded is whole up to the positions it states. Holds
        about `memory_bytes` beyond the chunks themselves. When it ends by itself, every range is passed,
        and the topic is still the one that `identity` names.

        Raises:
            StopRequestedError: between two answers of a broker.
            TopicChangedError: the topic was recreated while it was read.
            RetryableError: the broker stopped answering.
        """
        if not ranges:
            return
        if self._network is None:
            self._network = Network(self._cell)
        wanted = {r.partition: (r.start, r.end) for r in ranges}
        # Half for answers on their way and one at hand, half for what is uncompressed.
        # Chunks of half the size cost a tenth more time.
        chunks = _ChunkBuilder(memory_bytes // 2)
        answers = fetch(self._network, identity, wanted, response_bytes=memory_bytes // 4)
        for fetched in answers:
            if self._stop.is_set():
                raise StopRequestedError
            for fetched_range in fetched.ranges:
                yield from chunks.add(fetched_range)
        yield from chunks.rest()
        self._check_unchanged(identity)

    def compacts(self) -> bool:
        """Return whether the topic's cleanup policy removes records in between.

        Raises:
            TopicMissingError, TopicNotReadyError, BrokerUnavailableError, KafkaAccessError.
        """
        if self._admin is None:
            self._admin = connect_admin(self._cell)
        return is_compacted(self._admin, self._product.topic.name)

    def _check_unchanged(self, identity: TopicIdentity) -> None:
        # A fetch names its topic, not the topic's id: what came may be another topic's.
        if self._admin is None:
            self._admin = connect_admin(self._cell)
        now = describe_topic(self._admin, identity.topic, Operation.READ)
        if (now.cluster_id, now.topic_id) != (identity.cluster_id, identity.topic_id):
            raise TopicChangedError(
                f"it became topic {now.topic_id} while topic {identity.topic_id} was read.",
                subject=f"topic {identity.topic}",
                remedy="Plan again: the next look decides.",
            )

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        for client in (self._admin, self._network):
            if client is not None:
                client.close()
        self._admin = self._network = None


class _ChunkBuilder:
    """Gathers batches until their records, uncompressed, are of some size."""

    def __init__(self, chunk_bytes: int) -> None:
        self._chunk_bytes = chunk_bytes
        self._begin()

    def _begin(self) -> None:
        self._sections: list[BatchSlice] = []
        self._uncompressed = UncompressedRecords(self._chunk_bytes)
        self._positions: dict[int, int] = {}
        self._gaps: dict[GapKind, Counter[int]] = {kind: Counter() for kind in GapKind}

    def add(self, fetched_range: FetchedRange) -> Iterator[RecordChunk]:
        for item in fetched_range.items:
            if isinstance(item, Gap):
                self._gaps[item.kind][item.partition] += item.high - item.low
            else:
                records = item.records()
                if not self._uncompressed.has_room(len(records)):
                    yield self._chunk()
                self._sections.append(item)
                self._uncompressed.add(records)
            self._positions[item.partition] = item.high
        self._positions[fetched_range.partition] = fetched_range.end

    def rest(self) -> Iterator[RecordChunk]:
        if self._positions:
            yield self._chunk()

    def _chunk(self) -> RecordChunk:
        records = frame(self._sections, self._uncompressed)
        chunk = RecordChunk(records, self._positions, self._gaps)
        self._begin()
        return chunk
