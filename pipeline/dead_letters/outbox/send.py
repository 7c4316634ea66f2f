"""Sending records back to their topic as they are, and telling where Kafka put each."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from kafka.errors import (
    InvalidRecordError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
from kafka.future import Future

from pipeline.cells import Cell
from pipeline.kafka.connect import connect_producer
from pipeline.kafka.errors import named_errors
from pipeline.kafka.records import RawRecord
from pipeline.kafka.security.access import Access, Operation
from pipeline.produce.event_writer import FLUSH_S, ProduceFailedError

Place = tuple[int, int]
"""(partition, offset)"""


REFUSED = (InvalidRecordError, MessageSizeTooLargeError, RecordListTooLargeError)
"""What Kafka says of a record that it will never take."""


class Sender:
    """Sends records of one topic, each to the partition that it says."""

    def __init__(self, cell: Cell, topic: str) -> None:
        """Connect.

        Raises: as `connect_producer`.
        """
        self._topic = topic
        self._access = Access(Operation.WRITE, topic)
        self._client = connect_producer(cell)

    def send(self, records: Sequence[RawRecord]) -> list[Place | None]:
        """Return where each record is now, acknowledged by all replicas in sync; None where Kafka refuses it.

        Raises:
            ProduceFailedError: some were not acknowledged; which of them Kafka has is not known.
            KafkaAccessError: the cluster does not let this cell write the topic.
        """
        with named_errors(f"topic {self._topic}", self._access):
            places = self._settled(records)
            # Records are refused in batches: each alone tells which are to blame.
            return [
                self._settled([record])[0] if place is None and len(records) > 1 else place
                for record, place in zip(records, places, strict=True)
            ]

    def _settled(self, records: Sequence[RawRecord]) -> list[Place | None]:
        futures = [self._handed_over(record) for record in records]
        try:
            self._client.flush(FLUSH_S)
            return [None if one is None else _place(one) for one in futures]
        except KafkaTimeoutError as error:
            raise self._failure(len(records), f"not within {FLUSH_S:g} s") from error
        except KafkaError as error:
            if not getattr(error, "retriable", False):
                raise
            raise self._failure(len(records), str(error)) from error

    def _handed_over(self, record: RawRecord) -> Future | None:
        try:
            return self._client.send(
                self._topic,
                record.value,
                record.key,
                list(record.headers),
                record.partition,
                record.record_time // 1_000,
            )
        except REFUSED:
            return None

    def _failure(self, count: int, detail: str) -> ProduceFailedError:
        return ProduceFailedError(
            f"not all of {count} records were acknowledged ({detail}).",
            subject=f"topic {self._topic}",
            remedy="Check the broker with `headwater status`, and run the same command again: "
            "what is sent twice lands once.",
        )

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close(timeout=5)


def _place(future: Future) -> Place | None:
    """Return where a record is; raises why it is not there, if Kafka may take it yet."""
    try:
        # It is done: what was given up raises why.
        told = future.get(0)
    except REFUSED:
        return None
    return told.partition, told.offset
