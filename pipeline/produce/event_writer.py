"""Writing a product's events to its topic, encoded as its contract says."""

from __future__ import annotations

import io
import random
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any

import fastavro
from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.future import Future
from kafka.partitioner.default import murmur2

from pipeline.avro.encode import unwrapped
from pipeline.avro.logical_types import without_ignored
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.kafka.connect import connect_admin, connect_producer
from pipeline.kafka.errors import named_errors
from pipeline.kafka.security.access import Access, Operation
from pipeline.kafka.topics import require_access
from pipeline.produce.value_frame import EncodingError, ValueFrame, payload_encoder
from pipeline.schemas.registry import Registry

IN_FLIGHT_RECORDS = 40_000
IN_FLIGHT_BYTES = 48 * 1024 * 1024
"""Past either, `send` waits until the broker has acknowledged half of what is on its way."""
FLUSH_S = 60.0


class ProduceFailedError(RetryableError):
    """Records were not acknowledged; whether the broker has them is not known."""


@dataclass(frozen=True)
class Sent:
    """Records so far: handed over, acknowledged by all replicas in sync, given up."""

    accepted: int
    acknowledged: int
    failed: int


class EventWriter:
    """Writes events of one product in one cell, in the order of each partition, without doubling them.

    Records of one key go to one partition, the one that Kafka's own clients choose. What is sent is
    acknowledged only once `flush` has returned. Of a process that dies, accepted records may or may not
    be in Kafka. Not safe for use by several threads.
    """

    def __init__(
        self,
        cell: Cell,
        product: Product,
        registry: Registry,
        *,
        producer: str = "headwater",
        job_id: str | None = None,
    ) -> None:
        """Register the product's schemas, where values have ids of them, and connect. The topic must exist.

        `producer` and `job_id` are told in every record's headers; without a job there is no such header.

        Raises:
            RegistryUnavailableError, IncompatibleSchemaError: as `register_product`.
            BrokerUnavailableError, KafkaAccessError, KafkaSettingError: as `connect_producer`.
        """
        self._frame = ValueFrame(product, registry)
        self._own = None if product.topic.format == "avro" else payload_encoder(product)
        self._cell = cell
        self._topic = product.topic.name
        self._access = Access(Operation.WRITE, self._topic)
        self._payload_schema = fastavro.parse_schema(
            unwrapped(without_ignored(product.payload_schema))
        )
        self._told = [("producer", producer.encode())]
        if job_id is not None:
            self._told.append(("job_id", job_id.encode()))
        # Trace ids must differ between processes, and need not be secret.
        self._trace = random.Random()  # noqa: S311
        self._waiting: deque[tuple[Future, int]] = deque()
        self._waiting_bytes = 0
        self._accepted = self._acknowledged = self._failed = 0
        self._first_failure: Exception | None = None
        self._client: KafkaProducer = connect_producer(cell)
        with named_errors(f"topic {self._topic}", self._access):
            partitions = len(self._client.partitions_for(self._topic))

        @lru_cache(maxsize=200_000)
        def partition_of(key: bytes) -> int:
            # As DefaultPartitioner does; worth remembering, because it is computed byte by byte.
            return int((murmur2(key) & 0x7FFFFFFF) % partitions)

        self._partition_of = partition_of

    @property
    def sent(self) -> Sent:
        """Counts so far. Exact after `flush`."""
        return Sent(self._accepted, self._acknowledged, self._failed)

    @property
    def schema_id(self) -> int:
        """Registry id of the record value's schema; 0 where values have none."""
        return self._frame.schema_id

    def encode(self, payload: Mapping[str, Any], *, key: str, event_time: int, uuid: str) -> bytes:
        """Return the record value: the envelope around `payload`, or the bare payload without one.

        `event_time` is in microseconds since the epoch. Without an envelope key, event time and uuid are
        the payload's own fields, and those given here are not written.

        Raises:
            EncodingError: the payload does not fit its schema.
        """
        out = io.BytesIO()
        try:
            if self._own is not None:
                out.write(self._own(payload))
            else:
                fastavro.schemaless_writer(out, self._payload_schema, payload)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise EncodingError(
                f"the payload does not fit its schema ({type(error).__name__}: {error}).",
                subject=self._topic,
                remedy="Correct the payload, or the schema in the contract.",
            ) from error
        return self.frame(out.getvalue(), key=key, event_time=event_time, uuid=uuid)

    def frame(self, payload: bytes, *, key: str, event_time: int, uuid: str) -> bytes:
        """Return the record value of a payload that is encoded already; as `encode`, which see."""
        return self._frame.value(payload, key=key, event_time=event_time, uuid=uuid)

    def encode_envelope(
        self, payload: bytes, *, key: str, event_time: int, uuid: str, version: int
    ) -> bytes:
        """Return the record value around payload bytes, which are not looked at.

        Raises:
            EncodingError: the product has no envelope.
        """
        return self._frame.enveloped(
            payload, key=key, event_time=event_time, uuid=uuid, version=version
        )

    def send(
        self,
        payload: Mapping[str, Any],
        *,
        key: str,
        event_time: int,
        uuid: str,
        record_time: int | None = None,
    ) -> None:
        """Encode and send one event. Times are in microseconds since the epoch.

        `record_time` is the event time where it is not given; the broker replaces it where the topic's
        record time is its own. Waits while too much is on its way (see `IN_FLIGHT_RECORDS`).

        Raises:
            EncodingError, KafkaAccessError, ProduceFailedError: the event was not sent.
        """
        value = self.encode(payload, key=key, event_time=event_time, uuid=uuid)
        self.send_raw(key.encode(), value, event_time if record_time is None else record_time)

    def send_raw(self, key: bytes | None, value: bytes | None, record_time: int) -> None:
        """Send bytes as they are, whatever they hold. `record_time` is in microseconds since the epoch.

        Raises:
            KafkaAccessError, ProduceFailedError: the record was not sent.
        """
        headers = [("traceparent", self._traceparent()), *self._told]
        partition = None if key is None else self._partition_of(key)
        try:
            future = self._client.send(
                self._topic, value, key, headers, partition, record_time // 1000
            )
        except KafkaError as error:
            raise self._failure(str(error), error) from error
        size = (len(value) if value else 0) + 200
        self._accepted += 1
        self._waiting.append((future, size))
        self._waiting_bytes += size
        if len(self._waiting) > IN_FLIGHT_RECORDS or self._waiting_bytes > IN_FLIGHT_BYTES:
            self._settle(len(self._waiting) // 2, FLUSH_S)

    def flush(self, timeout_s: float = FLUSH_S) -> None:
        """Wait until the broker has acknowledged every record that was accepted.

        Raises:
            ProduceFailedError: a record of this writer was given up, or was not acknowledged in time. Told
                at every flush from then on.
            KafkaAccessError: it was given up because the cluster does not let this cell write the topic.
        """
        try:
            with named_errors(f"topic {self._topic}", self._access):
                self._client.flush(timeout_s)
        except KafkaTimeoutError as error:
            raise self._failure(f"not acknowledged within {timeout_s:g} s") from error
        self._settle(0, timeout_s)
        if self._failed:
            raise self._failure(str(self._first_failure), self._first_failure)

    def close(self) -> None:
        """Close the connection. What was not flushed may be lost."""
        with suppress(KafkaTimeoutError):
            self._client.close(timeout=5)

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()

    def _settle(self, down_to: int, timeout_s: float) -> None:
        """Take acknowledged records off the waiting list until at most `down_to` are left."""
        deadline = time.monotonic() + timeout_s
        while self._waiting:
            future, size = self._waiting[0]
            if not future.is_done:
                if len(self._waiting) <= down_to:
                    return
                try:
                    future.get(max(0.0, deadline - time.monotonic()))
                except KafkaTimeoutError as error:
                    if not future.is_done:
                        raise self._failure("not acknowledged in time") from error
                except KafkaError:
                    pass  # Counted below.
            self._waiting.popleft()
            self._waiting_bytes -= size
            if future.failed():
                self._failed += 1
                self._first_failure = self._first_failure or future.exception
            else:
                self._acknowledged += 1

    def _failure(self, detail: str, error: Exception | None = None) -> ProduceFailedError:
        """Return what to raise.

        Raises:
            KafkaAccessError: it happened because the cluster does not let this cell write the topic.
        """
        if error is not None and not getattr(error, "retriable", False):
            # The client forgets why it was given no producer id.
            with suppress(RetryableError), connect_admin(self._cell) as admin:
                require_access(admin, self._access)
        unknown = self._accepted - self._acknowledged
        return ProduceFailedError(
            f"{unknown} of {self._accepted} records were not acknowledged ({detail}).",
            subject=f"topic {self._topic}",
            remedy="Check the broker with `headwater status`; sending them again may double them.",
        )

    def _traceparent(self) -> bytes:
        bits = self._trace.getrandbits
        # Ids of zero only are invalid.
        return b"00-%032x-%016x-01" % (bits(128) or 1, bits(64) or 1)
