"""Reading a topic's committed offsets again, by another client than the one that ingested them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from pipeline.cells import Cell
from pipeline.errors import RetryableError
from pipeline.kafka.errors import access_refused
from pipeline.kafka.librdkafka import consuming
from pipeline.kafka.security.access import Access, Operation
from pipeline.ledger.identities import RecordIdentity
from pipeline.tables.offsets import CommittedOffsets

Offsets = npt.NDArray[np.int64]

SILENCE_S = 20.0
"""How long the broker may take to answer before it is given up."""
KNOWN_S = 5.0
"""How long a client that has just met the topic may not know of a partition."""
_LOOK_S = 0.2

_CUT = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)
_NO_GROUP = KafkaError.GROUP_AUTHORIZATION_FAILED
"""Nothing here is a group's, though the client looks for the one that it must name: it needs no ACL."""


class VerificationStalledError(RetryableError):
    """The independent consumer could not reach the committed offsets."""


IdentityOf = Callable[[bytes | None, Iterable[tuple[str, Any]]], RecordIdentity]


@dataclass(frozen=True)
class ConsumedPartition:
    """What a read-committed consumer is given of one partition's committed offsets.

    Attributes:
        earliest: the first offset that Kafka held when the reading was over.
        latest: the first offset that Kafka did not hold yet.
        offsets: those of the records that were given, ascending.
        past_retention: how many of the records that the tables do not hold are of hours that retention has
            deleted rows of.
        unmatched: offset -> uuid of all others that the tables do not hold; None where it has none.
    """

    earliest: int
    latest: int
    offsets: Offsets
    past_retention: int
    unmatched: Mapping[int, str | None]


def reread(
    cell: Cell,
    subject: str,
    committed: CommittedOffsets,
    held: Mapping[int, Offsets],
    identity_of: IdentityOf,
    retained_from: datetime | None,
) -> dict[int, ConsumedPartition]:
    """Return what can be read now of every partition's committed offsets.

    `held` are the offsets that the tables hold, ascending; `identity_of` tells who a record is by its value
    and headers; rows of hours before `retained_from` were deleted from events. What Kafka's own retention
    deletes meanwhile is passed over: `earliest` tells.

    Raises:
        VerificationStalledError: Kafka could not be read up to the committed offsets.
        KafkaAccessError: the cluster refused the credentials, or does not let this cell read the topic.
        KafkaSettingError, KafkaTlsError, TokenUnavailableError: as `consuming`.
    """
    settings = {
        "group.id": "headwater-verify",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "message.max.bytes": 100_000_000,
        "fetch.message.max.bytes": 10_000_000,
        "fetch.wait.max.ms": 50,
    }
    try:
        with consuming(cell, committed.topic, settings, SILENCE_S) as consumer:
            try:
                return {
                    partition: _Partition(
                        consumer,
                        TopicPartition(committed.topic, partition),
                        held[partition],
                        identity_of,
                        retained_from,
                    ).read(committed.first[partition], end)
                    for partition, end in committed.next.items()
                }
            except KafkaException as error:
                if _is_refused(consumer, committed.topic, error):
                    raise access_refused(Access(Operation.READ, committed.topic)) from error
                raise
    except KafkaException as error:
        raise VerificationStalledError(
            f"Kafka could not be read ({error}).",
            subject=subject,
            remedy="Check the broker with `headwater status`, then try again.",
        ) from error


class _Partition:
    def __init__(
        self,
        consumer: Consumer,
        where: TopicPartition,
        held: Offsets,
        identity_of: IdentityOf,
        retained_from: datetime | None,
    ) -> None:
        self._consumer = consumer
        self._topic, self._partition = where.topic, where.partition
        self._held = held
        self._identity_of = identity_of
        self._retained_from = retained_from
        self._parts: list[Offsets] = []
        self._past_retention = 0
        self._unmatched: dict[int, str | None] = {}

    def read(self, first: int, end: int) -> ConsumedPartition:
        earliest, _ = self._watermarks()
        start: int | None = max(earliest, first)
        while start is not None and start < end:
            self._consumer.assign([TopicPartition(self._topic, self._partition, start)])
            start = self._read_on(start, end)
        earliest, latest = self._watermarks()
        offsets = np.concatenate([np.empty(0, np.int64), *self._parts])
        return ConsumedPartition(earliest, latest, offsets, self._past_retention, self._unmatched)

    def _read_on(self, start: int, end: int) -> int | None:
        """Read from `start`; return where to go on if retention came first, None at the end."""
        position = start
        while True:
            # Short: it is waited out in full wherever fewer messages are left.
            messages = self._consumer.consume(5_000, timeout=0.1)
            given = [one for one in messages if one.error() is None]
            self._take([one for one in given if _offset(one) < end])
            if given:
                position = _offset(given[-1]) + 1
            errors = (error for one in messages if (error := one.error()) is not None)
            failed = next((error for error in errors if error.code() != _NO_GROUP), None)
            if failed is not None and failed.code() in _CUT:
                earliest, _ = self._watermarks()
                if earliest <= position:
                    raise KafkaException(failed)
                return earliest
            if failed is not None and failed.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(failed)
            if failed is not None or position >= end:
                return None
            if not messages:
                where = TopicPartition(self._topic, self._partition)
                (reached,) = self._consumer.position([where])
                if reached.offset != OFFSET_INVALID and reached.offset >= end:
                    return None
                # Raises KafkaException when the broker does not answer; a slow one is waited for.
                self._watermarks()

    def _take(self, messages: list[Message]) -> None:
        offsets = np.fromiter(map(_offset, messages), np.int64, len(messages))
        self._parts.append(offsets)
        for number in np.flatnonzero(~is_in(offsets, self._held)).tolist():
            # Asked for as a list, and never given as a mapping.
            headers: Any = messages[number].headers() or ()
            found = self._identity_of(messages[number].value(), headers)
            if self._is_past_retention(found.event_time):
                self._past_retention += 1
            else:
                self._unmatched[int(offsets[number])] = found.uuid

    def _is_past_retention(self, event_time: datetime | None) -> bool:
        before = self._retained_from
        return before is not None and event_time is not None and event_time < before

    def _watermarks(self) -> tuple[int, int]:
        where = TopicPartition(self._topic, self._partition)
        deadline = time.monotonic() + KNOWN_S
        while True:
            try:
                found = self._consumer.get_watermark_offsets(where, timeout=SILENCE_S)
            except KafkaException as error:
                # Its offsets are committed: the client may only not have all of the topic yet.
                is_known = error.args[0].code() != KafkaError._UNKNOWN_PARTITION
                if (
                    is_known
                    or time.monotonic() > deadline
                    or _is_refused(self._consumer, where.topic, error)
                ):
                    raise
                time.sleep(_LOOK_S)
                continue
            if found is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            return found


def _is_refused(consumer: Consumer, topic: str, error: KafkaException) -> bool:
    refused = KafkaError.TOPIC_AUTHORIZATION_FAILED
    if error.args[0].code() == refused:
        return True
    # Of a topic that it may not describe, the client says that there is no such partition.
    with suppress(KafkaException):
        found = consumer.list_topics(topic, timeout=SILENCE_S).topics[topic].error
        return found is not None and found.code() == refused
    return False


def is_in(offsets: Offsets, among: Offsets) -> npt.NDArray[np.bool_]:
    """Return which of `offsets` are in `among`, which is ascending."""
    if not len(among):
        return np.zeros(len(offsets), np.bool_)
    places = np.minimum(np.searchsorted(among, offsets), len(among) - 1)
    return np.asarray(among[places] == offsets)


def _offset(message: Message) -> int:
    offset = message.offset()
    if offset is None:
        raise TypeError("a message that was read has an offset")
    return offset
