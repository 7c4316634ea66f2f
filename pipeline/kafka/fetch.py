"""Reading exactly given ranges of offsets, and knowing what became of every offset of them."""

from __future__ import annotations

import struct
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

import kafka.errors as kafka_errors

from pipeline.errors import RetryableError, TerminalError
from pipeline.kafka.connect import FETCH_BYTES
from pipeline.kafka.errors import named_errors
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.kafka_python_private import FetchRequest, IsolationLevel
from pipeline.kafka.network import Network
from pipeline.kafka.record_batches import FetchedRange, RecordsCorruptError, parse_batches
from pipeline.kafka.security.access import Access, Operation

STALL_S = 15.0
"""How long a fetch may make no progress in any partition before it is given up."""
_TICK_S = 0.5
_WAIT_MS = 500
_BY_ID = 13
"""The first version of the request that names a topic by its id."""
_PREFIX = struct.Struct(">qii")
_LAST_DELTA = struct.Struct(">i")
_LAST_DELTA_AT = 23
_MOVED = (
    kafka_errors.NotLeaderForPartitionError,
    kafka_errors.FencedLeaderEpochError,
    kafka_errors.UnknownLeaderEpochError,
    kafka_errors.ReplicaNotAvailableError,
    kafka_errors.KafkaStorageError,
)
_OTHER_TOPIC = (
    kafka_errors.UnknownTopicOrPartitionError,
    kafka_errors.UnknownTopicIdError,
    kafka_errors.InconsistentTopicIdError,
)


class OffsetsLostError(TerminalError):
    """Offsets that were asked for are not in Kafka any more."""


class FetchStalledError(RetryableError):
    """The broker gave no more records before the end of a range."""


class TopicChangedError(RetryableError):
    """The topic was deleted or recreated since it was looked at."""


@dataclass(frozen=True)
class Fetched:
    """What one answer of a broker brought.

    Attributes:
        ranges: what became of the offsets it passed, for one or more partitions. May be empty.
        positions: for every partition asked for, the first offset that has not been passed, at most
            its range's end.
    """

    ranges: tuple[FetchedRange, ...]
    positions: Mapping[int, int]


def fetch(
    network: Network,
    topic: TopicIdentity,
    ranges: Mapping[int, tuple[int, int]],
    *,
    stall_s: float = STALL_S,
    response_bytes: int = FETCH_BYTES,
) -> Iterator[Fetched]:
    """Yield what the offsets [start, end) of each partition hold, and end when all are passed.

    Committed records only. Yields about twice a second even when nothing arrives, so that the caller
    can stop; the next answer is already on its way while the caller works on one. An answer is of about
    `response_bytes` as they are on the wire, more where a single batch is larger. Ends must not lie
    above the last stable offset, or they are never passed.

    Raises:
        ValueError: a range ends before it starts.
        OffsetsLostError: an offset of a range was deleted, or the log was cut below it.
        RecordsCorruptError, RecordFormatError: a batch cannot be read.
        TopicChangedError: the topic is not `topic` any more. NOT noticed on brokers before Kafka 3.1,
            which know topics by name only.
        FetchStalledError: no partition made progress for `stall_s` seconds.
        BrokerUnavailableError, KafkaAccessError: as for any request.
    """
    for partition, (start, end) in ranges.items():
        if not 0 <= start <= end:
            raise ValueError(f"partition {partition}: {start}..{end} is not a range")
    with named_errors(f"topic {topic.topic}", Access(Operation.READ, topic.topic)):
        yield from _Fetch(network, topic, ranges, stall_s, response_bytes).run()


class _Fetch:
    def __init__(
        self,
        network: Network,
        topic: TopicIdentity,
        ranges: Mapping[int, tuple[int, int]],
        stall_s: float,
        response_bytes: int,
    ) -> None:
        self._network = network
        self._topic = topic
        self._ends = {p: end for p, (start, end) in ranges.items() if start < end}
        self._positions = {p: start for p, (start, _) in ranges.items()}
        self._epochs = dict.fromkeys(ranges, -1)
        self._stall_s = stall_s
        self._response_bytes = response_bytes
        self._on_the_way: dict[int, tuple[Future[Any], dict[int, int]]] = {}
        self._by_id = network.supports(FetchRequest, _BY_ID)

    def run(self) -> Iterator[Fetched]:
        moved = time.monotonic()
        while self._ends:
            self._ask()
            before = dict(self._positions)
            passed = self._next()
            yield Fetched(tuple(passed), dict(self._positions))
            if self._positions != before:
                # From here, not from before the caller's own work.
                moved = time.monotonic()
            elif time.monotonic() - moved > self._stall_s:
                raise self._stalled()

    def _ask(self) -> None:
        """Send a request to every node that leads partitions and has none to answer."""
        by_node: dict[int, dict[int, int]] = {}
        for partition in self._ends:
            node = self._network.leader(self._topic.topic, partition)
            if node is not None and node not in self._on_the_way:
                by_node.setdefault(node, {})[partition] = self._positions[partition]
        for node, positions in by_node.items():
            self._on_the_way[node] = self._network.send(self._request(positions), node), positions

    def _request(self, positions: Mapping[int, int]) -> Any:
        name = self._topic.topic
        fetch_topic = FetchRequest.FetchTopic
        partitions = [
            fetch_topic.FetchPartition(
                partition=partition,
                current_leader_epoch=self._network.leader_epoch(name, partition),
                fetch_offset=position,
                last_fetched_epoch=self._epochs[partition],
                partition_max_bytes=self._response_bytes,
            )
            for partition, position in positions.items()
        ]
        named = {"topic_id": uuid.UUID(self._topic.topic_id)} if self._by_id else {"topic": name}
        return FetchRequest(
            max_wait_ms=_WAIT_MS,
            min_bytes=1,
            max_bytes=self._response_bytes,
            isolation_level=IsolationLevel.READ_COMMITTED,
            session_id=0,
            session_epoch=-1,
            topics=[fetch_topic(partitions=partitions, **named)],
            forgotten_topics_data=[],
            rack_id="",
            min_version=_BY_ID if self._by_id else 4,
            max_version=_BY_ID if self._by_id else _BY_ID - 1,
        )

    def _next(self) -> list[FetchedRange]:
        """Return what the first answer to arrive holds, [] if none did for a while."""
        responded = self._arrived()
        if responded is None:
            return []
        answer, asked = responded
        try:
            response = answer.result()
        except kafka_errors.RetriableError:
            # The connection is opened again by the next request; a stall ends it if that goes on.
            self._network.refresh()
            time.sleep(0.1)
            return []
        error = kafka_errors.for_code(response.error_code)
        if error is not kafka_errors.NoError:
            self._refuse(error, None)
            return []
        parts = [part for found in response.responses for part in found.partitions]
        ready = []
        for part in parts:
            partition = part.partition_index
            if part.error_code:
                self._refuse(kafka_errors.for_code(part.error_code), partition)
                continue
            if part.diverging_epoch is not None and part.diverging_epoch.end_offset >= 0:
                raise self._lost(
                    f"the log of partition {partition} was cut at {part.diverging_epoch.end_offset}"
                )
            start, end = asked[partition], self._ends[partition]
            self._advance(partition, part.records, end)
            ready.append((partition, part, start, end))
        # Ask before working on what came, so that the broker works meanwhile.
        for partition, _, _, end in ready:
            if self._positions[partition] >= end:
                del self._ends[partition]
            else:
                # To the back, so that each partition comes first in turn.
                self._ends[partition] = self._ends.pop(partition)
        self._ask()
        return [
            parse_batches(partition, part.records or b"", start, end, _aborted(part))
            for partition, part, start, end in ready
        ]

    def _arrived(self) -> tuple[Future[Any], dict[int, int]] | None:
        deadline = time.monotonic() + _TICK_S
        while (left := deadline - time.monotonic()) > 0:
            if not self._on_the_way:
                time.sleep(0.02)
                self._ask()
            responses = [response for response, _ in self._on_the_way.values()]
            wait(responses, timeout=left, return_when=FIRST_COMPLETED)
            for node, (response, asked) in self._on_the_way.items():
                if response.done():
                    del self._on_the_way[node]
                    return response, asked
        return None

    def _advance(self, partition: int, records: bytes | None, end: int) -> None:
        """Move the partition's position past the whole batches of `records`."""
        if not records:
            return
        place = 0
        while len(records) - place >= _PREFIX.size:
            base, length, epoch = _PREFIX.unpack_from(records, place)
            if place + 12 + length > len(records) or length < _LAST_DELTA_AT:
                break
            (delta,) = _LAST_DELTA.unpack_from(records, place + _LAST_DELTA_AT)
            self._positions[partition] = max(self._positions[partition], min(base + delta + 1, end))
            self._epochs[partition] = epoch
            place += 12 + length

    def _refuse(self, error: type[kafka_errors.KafkaError], partition: int | None) -> None:
        """Raise what cannot be waited out; look for the leader again where that is the trouble."""
        where = "" if partition is None else f" of partition {partition}"
        if issubclass(error, kafka_errors.OffsetOutOfRangeError) and partition is not None:
            raise self._lost(f"offset {self._positions[partition]}{where} is out of range")
        if issubclass(error, _OTHER_TOPIC):
            self._network.refresh()
            raise TopicChangedError(
                f"it is not topic {self._topic.topic_id} any more ({error.__name__}).",
                subject=f"topic {self._topic.topic}",
                remedy="Plan again: the next look decides.",
            )
        if issubclass(error, kafka_errors.CorruptRecordError):
            raise RecordsCorruptError(
                f"the broker finds its own records{where} corrupt.",
                subject=f"topic {self._topic.topic}",
                remedy="Restore the partition from a replica, or accept the loss of its offsets.",
            )
        if issubclass(error, _MOVED) or issubclass(error, kafka_errors.RetriableError):
            self._network.refresh()
            time.sleep(0.1)
            return
        raise error(f"fetch{where}")

    def _lost(self, detail: str) -> OffsetsLostError:
        return OffsetsLostError(
            f"offsets that were to be read are not there any more ({detail}).",
            subject=f"topic {self._topic.topic}",
            remedy="Restore them, or record them as lost with `headwater ingest accept-loss`.",
        )

    def _stalled(self) -> FetchStalledError:
        behind = ", ".join(
            f"partition {p} at {self._positions[p]} of {end}"
            for p, end in sorted(self._ends.items())
        )
        return FetchStalledError(
            f"no progress for {self._stall_s:g} s: {behind}.",
            subject=f"topic {self._topic.topic}",
            remedy="Check the broker with `headwater status`, then try again.",
        )


def _aborted(part: Any) -> list[tuple[int, int]]:
    return [(one.producer_id, one.first_offset) for one in part.aborted_transactions or ()]
