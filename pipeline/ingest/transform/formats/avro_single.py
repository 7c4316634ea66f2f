"""Records of Avro, one at a time: the payload, or the envelope around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.avro.decoding.bounded import is_bounded
from pipeline.avro.decoding.single import reader
from pipeline.avro.normal import NotAvroError
from pipeline.avro.schema import Schema, kind_of
from pipeline.contract.model import Product
from pipeline.contract.targets import avro
from pipeline.ingest.transform.formats.event_fields import (
    EventFields,
    micros,
    read_body,
    require_size,
)
from pipeline.ingest.transform.formats.framing import Framing
from pipeline.ingest.transform.formats.values import FoundEvent, PoisonedError, ReadRecord
from pipeline.ingest.transform.payload_versions import PayloadVersions
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.schemas.registry import SchemaNotFoundError, Schemas

ENVELOPE = ("uuid", "key", "schema_version", "timestamp", "payload")
"""Fields of an envelope."""

Read = Callable[[bytes], Any]


def avro_records(product: Product, schemas: Schemas, identity: TopicIdentity) -> ReadRecord:
    """Return what reads one record. Schemas are looked up once and kept."""
    records = _AvroRecords(product, schemas, identity)
    return records.enveloped if product.topic.envelope else records.bare


class _AvroRecords:
    def __init__(self, product: Product, schemas: Schemas, identity: TopicIdentity) -> None:
        self._product = product
        self._schemas = schemas
        self._framing = Framing(product)
        self._of_fields = EventFields(product, identity)
        self._reader = avro.reader_schema(product)
        self._by_id: dict[int, Read] = {}
        self._by_version: dict[int, Read] = {}
        self._versions = PayloadVersions(product, schemas)

    def enveloped(self, record: RawRecord) -> FoundEvent:
        schema_id, body = self._framing.split(record)
        envelope = read_body(body, self._envelope(schema_id))
        event_uuid, key, version, instant, payload = (envelope[name] for name in ENVELOPE)
        if not isinstance(payload, bytes) or not isinstance(version, int):
            raise PoisonedError(Reason.INVALID_ENVELOPE, "no payload, or no version of its schema")
        if record.key is None or not key:
            raise PoisonedError(Reason.NULL_KEY, "the record or its envelope has no key")
        if record.key != str(key).encode():
            raise PoisonedError(Reason.KEY_MISMATCH, "record key and envelope key differ")
        if not event_uuid:
            raise PoisonedError(Reason.INVALID_ENVELOPE, "the uuid is empty")
        require_size(self._product, payload)
        fields = read_body(payload, self._version(version))
        return FoundEvent(str(event_uuid), str(key), micros(instant, "timestamp"), version, fields)

    def bare(self, record: RawRecord) -> FoundEvent:
        schema_id, body = self._framing.split(record)
        require_size(self._product, body)
        fields = read_body(body, self._bare_payload(schema_id))
        return self._of_fields.event(record, fields, self._versions.of_id(schema_id))

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
            lambda: reader(_bounded(self._schemas.version(subject, version).schema), self._reader),
            f"version {version} of {subject}",
        )

    def _writer(self, schema_id: int) -> Mapping[str, Any]:
        return _bounded(self._schemas.schema(schema_id))


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
        raise PoisonedError(Reason.INVALID_ENVELOPE, "the value is not a record")
    fields = {field["name"]: field for field in wrote.root["fields"]}
    for name in ENVELOPE:
        if name not in fields:
            raise PoisonedError(Reason.INVALID_ENVELOPE, f"the envelope has no {name!r}")
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
            raise PoisonedError(Reason.UNKNOWN_SCHEMA, f"{name} is not registered") from None
        except (_EndlessError, NotAvroError) as error:
            raise PoisonedError(Reason.UNREADABLE_SCHEMA, f"{name} {error}") from None
    return known[number]
