"""Sending records back to their topic as they are, and telling where Kafka put each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pyarrow as pa
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.cells import Cell
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import BrokerUnavailableError
from pipeline.kafka.librdkafka import producing
from pipeline.kafka.security.access import Access, Operation
from pipeline.kafka.topics import require_access
from pipeline.produce.event_writer import FLUSH_S, ProduceFailedError

Place = tuple[int, int]
"""(partition, offset)"""
WITHIN_S = 10.0
REFUSED = frozenset({KafkaError.INVALID_RECORD, KafkaError.MSG_SIZE_TOO_LARGE})
"""What Kafka says of a record that it will never take."""


@contextmanager
def sending(cell: Cell, topic: str) -> Iterator[Sender]:
    """Yield what sends records to a topic.

    Raises:
        BrokerUnavailableError: no broker answered.
        KafkaAccessError, KafkaTlsError, KafkaSettingError, TokenUnavailableError: as `producing`.
    """
    try:
        with producing(cell, topic, WITHIN_S) as producer:
            yield Sender(cell, topic, producer)
    except KafkaException as error:
        raise BrokerUnavailableError(
            f"Kafka did not answer ({error.args[0].str()}).",
            subject=cell.bootstrap_servers,
            remedy="Check the broker with `headwater status`.",
        ) from error


class Sender:
    """Sends records of one topic, each to the partition that it says."""

    def __init__(self, cell: Cell, topic: str, producer: Producer) -> None:
        self._cell = cell
        self._topic = topic
        self._producer = producer

    def send(self, records: pa.Table, time_ms: int) -> list[Place | None]:
        """Return where each record is now, acknowledged by all replicas in sync; None where Kafka refuses it.

        `records` have `_topic_partition`, `record_key`, `record_value` and `headers`; `time_ms` is the time
        of all, in milliseconds since the epoch.

        Raises:
            ProduceFailedError: some were not acknowledged; which of them Kafka has is not known.
            KafkaAccessError: the cluster does not let this cell write the topic.
        """
        places = self._settled(records, time_ms)
        if len(places) < 2:
            return places
        # Records are refused in batches: each alone tells which are to blame.
        return [
            self._settled(records.slice(row, 1), time_ms)[0] if place is None else place
            for row, place in enumerate(places)
        ]

    def _settled(self, records: pa.Table, time_ms: int) -> list[Place | None]:
        places: list[Place | None] = [None] * records.num_rows
        failed: list[KafkaError] = []

        def settle(row: int, error: KafkaError | None, message: Message) -> None:
            if error is None:
                places[row] = message.partition() or 0, message.offset() or 0
            elif error.code() not in REFUSED:
                failed.append(error)

        columns = ("_topic_partition", "record_key", "record_value")
        rows = zip(*(records.column(name).to_pylist() for name in columns), strict=True)
        told = _headers(records.column("headers").combine_chunks())
        for row, ((partition, key, value), headers) in enumerate(zip(rows, told, strict=True)):
            self._hand_over(partition, key, value, headers, time_ms, partial(settle, row))
            if row % 1_000 == 0:
                self._producer.poll(0)
        left = self._producer.flush(FLUSH_S)
        if left or failed:
            raise self._failure(left + len(failed), failed[0] if failed else None)
        return places

    def _hand_over(
        self,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, str | bytes | None]],
        time_ms: int,
        settle: Callable[[KafkaError | None, Message], None],
    ) -> None:
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    value,
                    key,
                    partition,
                    on_delivery=settle,
                    timestamp=time_ms,
                    headers=headers,
                )
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                if error.args[0].code() not in REFUSED:
                    raise
                return
            else:
                return

    def _failure(self, count: int, error: KafkaError | None) -> ProduceFailedError:
        """Return what to raise.

        Raises:
            KafkaAccessError: the cluster does not let this cell write the topic.
        """
        if error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            with connect_admin(self._cell) as admin:
                require_access(admin, Access(Operation.WRITE, self._topic))
        why = f"not within {FLUSH_S:g} s" if error is None else error.str()
        return ProduceFailedError(
            f"{count} records were not acknowledged ({why}).",
            subject=f"topic {self._topic}",
            remedy="Check the broker with `headwater status`, and run the same command again: "
            "what is sent twice lands once.",
        )


def _headers(column: pa.ListArray) -> Iterator[list[tuple[str, str | bytes | None]]]:
    """Yield each record's headers. As Python's own values a list of records takes three times as long."""
    flat = column.flatten()
    pairs = list(zip(flat.field("key").to_pylist(), flat.field("value").to_pylist(), strict=True))
    end = 0
    for length in column.value_lengths().fill_null(0).to_pylist():
        end += length
        yield pairs[end - length : end]
