"""What a dead letter holds, read as its writer wrote it and as far as that goes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import fastavro

from pipeline.avro.decoding.bounded import is_bounded
from pipeline.avro.encode import unwrapped
from pipeline.avro.field_path import value_at
from pipeline.avro.logical_types import without_ignored
from pipeline.avro.normal import NotAvroError
from pipeline.avro.schema import Schema, kind_of
from pipeline.contract.model import Product
from pipeline.contract.targets.event_time import micros_of_time
from pipeline.ingest.transform.formats.contract_schemas import known_schemas
from pipeline.ingest.transform.formats.framing import Framing
from pipeline.ingest.transform.formats.protobuf import protobuf_records
from pipeline.ingest.transform.formats.values import PoisonedError
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.ledger.identities import BROKEN
from pipeline.rows.json_value import unframed
from pipeline.schemas import wire
from pipeline.schemas.registry import Registry, SchemaNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Opened:
    """What was read of one record.

    Attributes:
        envelope: the fields of an envelope that were read; empty where there is none.
        fields: the payload's fields that were read, by their writer's schema: times are Python's, decimals
            `Decimal`, so are the fractions of JSON.
        whole: whether that is the whole payload.
        schema_id: the registry's id that the value says; None where it says none.
        uuid, key: as far as the record says them.
        event_time: in microseconds since the epoch.
        broke_at: the byte of the value at which reading stopped; None where it did not, or nobody knows.
        why: what stopped it; empty where nothing did.
    """

    envelope: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    schema_id: int | None = None
    uuid: str | None = None
    key: str | None = None
    event_time: int | None = None
    broke_at: int | None = None
    why: str = ""


class Opener:
    """Opens records of one product's topic. Schemas are looked up once and kept."""

    def __init__(self, product: Product, registry: Registry, topic: TopicIdentity) -> None:
        self._product = product
        self._schemas = known_schemas(product, registry)
        self._framing = Framing(product)
        self._micros = micros_of_time(product)
        self._known: dict[object, _Writer] = {}
        self._protobuf = (
            protobuf_records(product, registry, topic)
            if product.topic.format == "protobuf"
            else None
        )

    def open(self, record: RawRecord) -> Opened:
        """Return what can be read of a record. Its dead letter's reason is not looked at.

        Raises:
            RegistryUnavailableError: a schema could not be looked up.
        """
        if record.value is None:
            return Opened(why="the record has no value")
        if self._product.topic.format == "json":
            return self._of_json(record.value)
        if self._protobuf is not None:
            return self._of_protobuf(record)
        try:
            schema_id, body = self._framing.split(record)
        except PoisonedError as error:
            return Opened(broke_at=0, why=error.detail)
        skipped = len(record.value) - len(body)
        told = schema_id if self._product.topic.has_schema_ids else None
        read = self._read(schema_id, body, ("id", schema_id))
        if not self._product.topic.envelope:
            return self._of_payload(read, told, skipped)
        return self._of_envelope(read, told, skipped)

    def _of_envelope(self, read: _Read, schema_id: int | None, skipped: int) -> Opened:
        envelope = {name: value for name, value in read.fields.items() if name != "payload"}
        uuid, key = envelope.get("uuid"), envelope.get("key")
        common: dict[str, Any] = {
            "envelope": envelope,
            "schema_id": schema_id,
            "uuid": str(uuid) if uuid else None,
            "key": str(key) if key else None,
            "event_time": self._instant(envelope.get("timestamp")),
        }
        payload, version = read.fields.get("payload"), envelope.get("schema_version")
        if read.why or not isinstance(payload, bytes) or not isinstance(version, int):
            why = read.why or "no payload, or no version of its schema"
            return Opened(**common, broke_at=skipped + read.place, why=why)
        inner = self._read(version, payload, ("version", version))
        begin = skipped + read.ends["payload"] - len(payload)
        return Opened(
            **common,
            fields=inner.fields,
            whole=not inner.why,
            broke_at=begin + inner.place if inner.why else None,
            why=inner.why,
        )

    def _of_payload(self, read: _Read, schema_id: int | None, skipped: int) -> Opened:
        return Opened(
            fields=read.fields,
            whole=not read.why,
            schema_id=schema_id,
            broke_at=skipped + read.place if read.why else None,
            why=read.why,
            **self._identity(read.fields),
        )

    def _of_json(self, value: bytes) -> Opened:
        body = unframed(value)
        skipped = len(value) - len(body)
        try:
            text = body.decode()
            found = json.loads(text, parse_float=Decimal)
        except UnicodeDecodeError as error:
            return Opened(broke_at=skipped + error.start, why=str(error))
        except json.JSONDecodeError as error:
            place = skipped + len(text[: error.pos].encode())
            return Opened(broke_at=place, why=f"{error.msg}, at character {error.pos}")
        except (RecursionError, ValueError) as error:
            return Opened(broke_at=skipped, why=str(error))
        if self._product.topic.debezium and isinstance(found, dict):
            held = found.get("payload")
            found = held if isinstance(held, dict) else found
        if not isinstance(found, dict):
            return Opened(broke_at=skipped, why="the value is no JSON object")
        return Opened(fields=found, whole=True, **self._identity(found))

    def _of_protobuf(self, record: RawRecord) -> Opened:
        if self._protobuf is None:
            return Opened()
        try:
            schema_id = wire.split(record.value or b"")[0]
        except wire.WireFormatError as error:
            return Opened(broke_at=0, why=error.what)
        try:
            found = self._protobuf(record)
        except PoisonedError as error:
            return Opened(schema_id=schema_id, why=error.detail)
        told = self._identity(found.fields)
        return Opened(fields=found.fields, whole=True, schema_id=schema_id, **told)

    def _identity(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        product = self._product
        uuid = value_at(fields, product.uuid) if product.uuid else None
        keys = (value_at(fields, path) for path in product.key_paths)
        key = next((one for one in keys if one is not None), None)
        return {
            "uuid": None if uuid is None else str(uuid),
            "key": None if key is None else str(key),
            "event_time": self._instant(value_at(fields, product.event_time)),
        }

    def _instant(self, at: Any) -> int | None:
        try:
            if isinstance(at, str):
                at = datetime.fromisoformat(at)
                at = at if at.tzinfo else at.replace(tzinfo=UTC)
            if isinstance(at, datetime):
                at = at if at.tzinfo else at.replace(tzinfo=UTC)
                return int((at - _EPOCH) // timedelta(microseconds=1))
            if isinstance(at, int) and not isinstance(at, bool):
                return int(at * self._micros // 1)
        except (ValueError, OverflowError):
            pass
        return None

    def _read(self, number: int, body: bytes, name: tuple[str, int]) -> _Read:
        try:
            if name not in self._known:
                schema = (
                    self._schemas.schema(number)
                    if name[0] == "id"
                    else self._schemas.version(self._product.payload_subject, number).schema
                )
                self._known[name] = _Writer(schema)
        except SchemaNotFoundError:
            return _Read(why=f"schema {name[0]} {number} is not registered")
        except (NotAvroError, *BROKEN) as error:
            return _Read(why=f"schema {name[0]} {number} cannot be read by: {error}")
        return self._known[name].read(body)


@dataclass(frozen=True)
class _Read:
    """Fields of a record, where each ended, and where and why reading stopped."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)
    place: int = 0
    why: str = ""


class _Writer:
    """Reads records of one schema, a field at a time."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        if not is_bounded(schema):
            raise NotAvroError("a few bytes of it could say to read without end")
        wrote = Schema(schema)
        if kind_of(wrote.root) != "record":
            raise NotAvroError("it is no record")
        self._fields = [
            (one["name"], fastavro.parse_schema(unwrapped(without_ignored(_alone(wrote, one)))))
            for one in wrote.root["fields"]
        ]

    def read(self, body: bytes) -> _Read:
        source = io.BytesIO(body)
        found: dict[str, Any] = {}
        ends: dict[str, int] = {}
        for name, schema in self._fields:
            begin = source.tell()
            try:
                read: Any = fastavro.schemaless_reader(source, schema, None)
                found[name] = read["value"]
            except BROKEN as error:
                said = f"{name}: {type(error).__name__} {error}".rstrip()
                return _Read(found, ends, max(begin, min(source.tell(), len(body))), said[:300])
            ends[name] = source.tell()
        left = len(body) - source.tell()
        why = f"{left} bytes follow the value" if left else ""
        return _Read(found, ends, source.tell(), why)


def _alone(wrote: Schema, one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of one field alone, with all that its type refers to."""
    fields = [{"name": "value", "type": wrote.standalone(one["type"])}]
    return {"type": "record", "name": "Field_", "fields": fields}
