"""Decoding one record at a time, by a general Avro library: slow, and the last word.

It says why a record cannot be decoded, and decodes those that the columnar reader does not vouch for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro
import pyarrow as pa
from fastavro.schema import SchemaParseException

from pipeline.avro.bounded import is_bounded
from pipeline.avro.exact_bytes import ExactBytes
from pipeline.contract.model import Product
from pipeline.contract.targets import avro
from pipeline.errors import PoisonError
from pipeline.ingest.coordinate_uuid import coordinate_uuid
from pipeline.ingest.model import DeadLetter, Event, Reason
from pipeline.ingest.strict_times import refuse_other_times
from pipeline.kafka.records import RawRecord
from pipeline.kafka.topics import TopicIdentity
from pipeline.schemas import wire
from pipeline.schemas.registry import Registry, SchemaNotFoundError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# What a native Avro reader raises on bytes that are not what the schema says.
BROKEN_BYTES = (
    EOFError,
    IndexError,
    KeyError,
    LookupError,
    MemoryError,
    OverflowError,
    StopIteration,
    TypeError,
    ValueError,
    struct.error,
    SchemaParseException,
    fastavro.read.SchemaResolutionError,
)


class _PoisonedError(PoisonError):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail, subject=reason, remedy="")
        self.reason = reason


class RecordDecoder:
    """Decodes single records of one product's topic.

    Schemas are looked up once and kept. Not safe for use by several threads.
    """

    def __init__(
        self, product: Product, registry: Registry, identity: TopicIdentity, columns: pa.Schema
    ) -> None:
        refuse_other_times()
        self._product = product
        self._registry = registry
        self._identity = identity
        self._reader = fastavro.parse_schema(avro.reader_schema(product))
        self._by_id: dict[int, Any] = {}
        self._by_version: dict[int, Any] = {}
        self._version_of_id: dict[int, int] = {}
        self._columns = columns
        self._one = self._enveloped if product.topic.envelope else self._bare

    def decode(self, record: RawRecord) -> Event | DeadLetter:
        """Return the event that `record` holds, or why it holds none.

        Raises:
            RegistryUnavailableError: a schema could not be looked up; the record is not to blame.
        """
        try:
            event_uuid, key, event_time, version, fields = self._one(record)
            payload = self._row(fields)
        except _PoisonedError as poison:
            return DeadLetter(record, poison.reason, poison.what)
        return Event(event_uuid, key, event_time, version, payload)

    def _row(self, fields: Mapping[str, Any]) -> pa.Table:
        try:
            return pa.Table.from_pylist([fields], schema=self._columns)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            # Avro's int may be read as any long; a column's cannot.
            raise _PoisonedError(Reason.UNDECODABLE, f"{error}"[:500]) from None

    def _enveloped(self, record: RawRecord) -> tuple[str, str, int, int, dict[str, Any]]:
        schema_id, body = _split(record)
        envelope = _read(body, self._writer(schema_id), None)
        if not isinstance(envelope, dict):
            raise _PoisonedError(Reason.INVALID_ENVELOPE, "the value is not a record")
        try:
            event_uuid, key = envelope["uuid"], envelope["key"]
            version, instant, payload = (
                envelope["schema_version"],
                envelope["timestamp"],
                envelope["payload"],
            )
        except KeyError as missing:
            raise _PoisonedError(
                Reason.INVALID_ENVELOPE, f"the envelope has no {missing}"
            ) from None
        if record.key is None or not key:
            raise _PoisonedError(Reason.NULL_KEY, "the record or its envelope has no key")
        if record.key != str(key).encode():
            raise _PoisonedError(Reason.INVALID_ENVELOPE, "record key and envelope key differ")
        if not event_uuid:
            raise _PoisonedError(Reason.INVALID_ENVELOPE, "the uuid is empty")
        self._refuse_large(payload)
        fields = _read(payload, self._version(version), self._reader)
        return str(event_uuid), str(key), _micros(instant), version, fields

    def _bare(self, record: RawRecord) -> tuple[str, str, int, int, dict[str, Any]]:
        schema_id, body = _split(record)
        self._refuse_large(body)
        fields = _read(body, self._writer(schema_id), self._reader)
        key = fields[self._product.key]
        if key is None or key == "":
            raise _PoisonedError(Reason.NULL_KEY, f"{self._product.key} is null")
        instant = fields[self._product.event_time]
        if instant is None:
            raise _PoisonedError(Reason.INVALID_ENVELOPE, f"{self._product.event_time} is null")
        named = fields[self._product.uuid] if self._product.uuid else None
        event_uuid = str(named) if named else self._coordinates_uuid(record)
        version = self._payload_version(schema_id)
        return event_uuid, str(key), _micros(instant), version, fields

    def _refuse_large(self, payload: bytes) -> None:
        limit = self._product.gates.payload_bytes
        if len(payload) > limit:
            raise _PoisonedError(Reason.PAYLOAD_TOO_LARGE, f"{len(payload)} bytes, over {limit}")

    def _coordinates_uuid(self, record: RawRecord) -> str:
        where = self._identity
        return coordinate_uuid(where, record.partition, record.offset)

    def _writer(self, schema_id: int) -> Any:
        return _remembered(
            self._by_id,
            schema_id,
            lambda: self._registry.schema(schema_id),
            f"schema id {schema_id}",
        )

    def _version(self, version: int) -> Any:
        subject = self._product.payload_subject
        return _remembered(
            self._by_version,
            version,
            lambda: self._registry.version(subject, version).schema,
            f"version {version} of {subject}",
        )

    def _payload_version(self, schema_id: int) -> int:
        if schema_id not in self._version_of_id:
            subject = self._product.payload_subject
            for version in range(1, self._registry.latest(subject).version + 1):
                self._version_of_id[self._registry.version(subject, version).id] = version
        return self._version_of_id.get(schema_id, 0)


def _remembered(
    known: dict[int, Any], number: int, look_up: Callable[[], Mapping[str, Any]], name: str
) -> Any:
    if number not in known:
        try:
            schema = look_up()
        except SchemaNotFoundError:
            # Not kept: it may be registered before its records are replayed.
            raise _PoisonedError(Reason.UNKNOWN_SCHEMA, f"{name} is not registered") from None
        known[number] = (
            fastavro.parse_schema(avro.with_text_uuids(schema)) if is_bounded(schema) else None
        )
    if known[number] is None:
        raise _PoisonedError(
            Reason.UNDECODABLE,
            f"{name} has arrays of items without bytes, or types that hold themselves: "
            "a few bytes could say to read without end",
        )
    return known[number]


def _split(record: RawRecord) -> tuple[int, bytes]:
    if record.value is None:
        raise _PoisonedError(Reason.NO_VALUE, "the record has no value")
    try:
        return wire.split(record.value)
    except PoisonError as error:
        raise _PoisonedError(Reason.BAD_FRAMING, error.what) from None


def _read(body: bytes, writer: Any, reader: Any) -> Any:
    stream = ExactBytes(body)
    try:
        value = fastavro.schemaless_reader(stream, writer, reader)
    except BROKEN_BYTES as error:
        raise _PoisonedError(Reason.UNDECODABLE, f"{type(error).__name__}: {error}"[:500]) from None
    if left := len(body) - stream.tell():
        raise _PoisonedError(Reason.UNDECODABLE, f"{left} bytes follow the value")
    return value


def _micros(instant: Any) -> int:
    if isinstance(instant, datetime):
        return (instant - EPOCH) // MICROSECOND
    if isinstance(instant, int):
        return instant
    raise _PoisonedError(Reason.INVALID_ENVELOPE, f"{type(instant).__name__} is not an instant")
