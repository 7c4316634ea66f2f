"""Decoding one record at a time: slow, and the last word.

It says why a record cannot be decoded, and decodes those that the columnar reader does not vouch for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from pipeline.avro.decoding.bounded import is_bounded
from pipeline.avro.decoding.ranges import RANGES
from pipeline.avro.decoding.single import OutOfRangeError, UnreadableValueError, reader
from pipeline.avro.normal import NotAvroError
from pipeline.avro.schema import Schema, kind_of
from pipeline.contract.model import Product
from pipeline.contract.targets import avro
from pipeline.errors import PoisonError
from pipeline.ingest.transform.coordinate_uuid import coordinate_uuid
from pipeline.ingest.transform.payload_versions import PayloadVersions
from pipeline.ingest.transform.records import DeadLetter, Event, Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.rows.json_value import json_decoder, unframed
from pipeline.schemas import wire
from pipeline.schemas.registry import Registry, SchemaNotFoundError

ENVELOPE = ("uuid", "key", "schema_version", "timestamp", "payload")
"""Fields of an envelope."""

Read = Callable[[bytes], Any]


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
        self._product = product
        self._registry = registry
        self._identity = identity
        self._reader = avro.reader_schema(product)
        self._by_id: dict[int, Read] = {}
        self._by_version: dict[int, Read] = {}
        self._versions = PayloadVersions(product, registry)
        self._columns = columns
        self._one = self._enveloped if product.topic.envelope else self._bare
        if product.topic.format == "json":
            self._from_json = json_decoder(product.payload_schema)
            self._one = self._json

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
            raise _PoisonedError(Reason.UNDECODABLE, f"{error}"[:500]) from None

    def _enveloped(self, record: RawRecord) -> tuple[str, str, int, int, dict[str, Any]]:
        schema_id, body = _split(record)
        envelope = _read(body, self._envelope(schema_id))
        event_uuid, key, version, instant, payload = (envelope[name] for name in ENVELOPE)
        if not isinstance(payload, bytes) or not isinstance(version, int):
            raise _PoisonedError(Reason.INVALID_ENVELOPE, "no payload, or no version of its schema")
        if record.key is None or not key:
            raise _PoisonedError(Reason.NULL_KEY, "the record or its envelope has no key")
        if record.key != str(key).encode():
            raise _PoisonedError(Reason.INVALID_ENVELOPE, "record key and envelope key differ")
        if not event_uuid:
            raise _PoisonedError(Reason.INVALID_ENVELOPE, "the uuid is empty")
        self._check_size(payload)
        fields = _read(payload, self._version(version))
        return str(event_uuid), str(key), _micros(instant, "timestamp"), version, fields

    def _bare(self, record: RawRecord) -> tuple[str, str, int, int, dict[str, Any]]:
        schema_id, body = _split(record)
        self._check_size(body)
        fields = _read(body, self._bare_payload(schema_id))
        return self._of_fields(record, fields, lambda: self._versions.of_id(schema_id))

    def _json(self, record: RawRecord) -> tuple[str, str, int, int, dict[str, Any]]:
        if record.value is None:
            raise _PoisonedError(Reason.NO_VALUE, "the record has no value")
        body = unframed(record.value)
        self._check_size(body)
        fields = _read(body, self._from_json)
        return self._of_fields(record, fields, lambda: len(self._product.payload_schemas))

    def _of_fields(
        self, record: RawRecord, fields: dict[str, Any], version_of: Callable[[], int]
    ) -> tuple[str, str, int, int, dict[str, Any]]:
        """Return an event whose payload says itself what it is."""
        key = fields[self._product.key]
        if key is None or key == "":
            raise _PoisonedError(Reason.NULL_KEY, f"{self._product.key} is null")
        instant = fields[self._product.event_time]
        if instant is None:
            raise _PoisonedError(Reason.INVALID_ENVELOPE, f"{self._product.event_time} is null")
        named = fields[self._product.uuid] if self._product.uuid else None
        event_uuid = str(named) if named else self._coordinates_uuid(record)
        at = _micros(instant, self._product.event_time)
        return event_uuid, str(key), at, version_of(), fields

    def _check_size(self, payload: bytes) -> None:
        limit = self._product.gates.payload_bytes
        if len(payload) > limit:
            raise _PoisonedError(Reason.PAYLOAD_TOO_LARGE, f"{len(payload)} bytes, over {limit}")

    def _coordinates_uuid(self, record: RawRecord) -> str:
        where = self._identity
        return coordinate_uuid(where, record.partition, record.offset)

    def _envelope(self, schema_id: int) -> Read:
        return _remembered(
            self._by_id, schema_id, lambda: _envelope(self._writer(schema_id)), _named(schema_id)
        )

    def _bare_payload(self, schema_id: int) -> Read:
        return _remembered(
            self._by_id,
            schema_id,
            lambda: reader(self._writer(schema_id), self._reader),
            _named(schema_id),
        )

    def _version(self, version: int) -> Read:
        subject = self._product.payload_subject
        return _remembered(
            self._by_version,
            version,
            lambda: reader(_bounded(self._registry.version(subject, version).schema), self._reader),
            f"version {version} of {subject}",
        )

    def _writer(self, schema_id: int) -> Mapping[str, Any]:
        return _bounded(self._registry.schema(schema_id))


class _EndlessError(ValueError):
    pass


def _bounded(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if not is_bounded(schema):
        raise _EndlessError(
            "has arrays of items without bytes, or types that hold themselves: "
            "a few bytes could say to read without end"
        )
    return schema


def _envelope(writer: Mapping[str, Any]) -> Read:
    """Return what reads the fields of an envelope as their writer's own types."""
    wrote = Schema(writer)
    if kind_of(wrote.root) != "record":
        raise _PoisonedError(Reason.INVALID_ENVELOPE, "the value is not a record")
    fields = {field["name"]: field for field in wrote.root["fields"]}
    for name in ENVELOPE:
        if name not in fields:
            raise _PoisonedError(Reason.INVALID_ENVELOPE, f"the envelope has no {name!r}")
    # Not only its fields of an envelope: others may define the types that those refer to.
    return reader(writer, writer)


def _named(schema_id: int) -> str:
    return f"schema id {schema_id}"


def _remembered(known: dict[int, Read], number: int, make: Callable[[], Read], name: str) -> Read:
    if number not in known:
        try:
            known[number] = make()
        except SchemaNotFoundError:
            # Not kept: it may be registered before its records are replayed.
            raise _PoisonedError(Reason.UNKNOWN_SCHEMA, f"{name} is not registered") from None
        except (_EndlessError, NotAvroError) as error:
            raise _PoisonedError(Reason.UNDECODABLE, f"{name} {error}") from None
    return known[number]


def _split(record: RawRecord) -> tuple[int, bytes]:
    if record.value is None:
        raise _PoisonedError(Reason.NO_VALUE, "the record has no value")
    try:
        return wire.split(record.value)
    except PoisonError as error:
        raise _PoisonedError(Reason.BAD_FRAMING, error.what) from None


def _read(body: bytes, read: Read) -> Any:
    try:
        return read(body)
    except OutOfRangeError as error:
        raise _PoisonedError(Reason.OUT_OF_RANGE, f"{error}"[:500]) from None
    except UnreadableValueError as error:
        raise _PoisonedError(Reason.UNDECODABLE, f"{error}"[:500]) from None


def _micros(instant: Any, field: str) -> int:
    if not isinstance(instant, int):
        raise _PoisonedError(
            Reason.INVALID_ENVELOPE, f"{field}: {type(instant).__name__} is not an instant"
        )
    unit = RANGES["timestamp-micros"]
    if not unit.low <= instant <= unit.high:
        raise _PoisonedError(Reason.OUT_OF_RANGE, f"{field}: a timestamp-micros {unit.limit}")
    return instant
