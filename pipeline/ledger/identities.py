"""The uuid and event time in a record's value, read apart from the ingest's own decoders."""

from __future__ import annotations

import io
import json
import struct
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException

from pipeline.avro import logical_types
from pipeline.avro.field_path import value_at
from pipeline.contract.model import Product
from pipeline.contract.targets import avro
from pipeline.contract.targets.event_time import micros_of_time
from pipeline.errors import PoisonError
from pipeline.ledger.protobuf_fields import ProtobufFields
from pipeline.schemas import single_object, wire
from pipeline.schemas.registry import Registry
from pipeline.tables.offsets import CommittedOffsets

BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    SchemaParseException,
    StopIteration,
    TypeError,
    ValueError,
    struct.error,
)
"""What fastavro raises on bytes that are not what the schema says, and on schemas that do not fit."""


@dataclass(frozen=True)
class RecordIdentity:
    """What tells one event from others: None is what its record does not carry, or cannot be read."""

    uuid: str | None = None
    event_time: datetime | None = None


class IdentityReader:
    """Tells the uuid and the event time that a record of one product's topic carries."""

    def __init__(
        self, product: Product, registry: Registry, topic: CommittedOffsets | None = None
    ) -> None:
        """`topic` is the one whose coordinates uuids are made of, where they are; without it nobody tells."""
        enveloped = product.topic.envelope
        self._uuid = "uuid" if enveloped else product.uuid
        # A payload that may say its uuid may leave it out: then it is one of coordinates.
        self._topic = None if enveloped else topic
        self._event_time = "timestamp" if enveloped else product.event_time
        self._reader = None
        self._is_json = product.topic.format == "json"
        self._is_change = product.topic.debezium
        self._micros = micros_of_time(product)
        self._by_header: list[tuple[bytes, Any]] = []
        if product.topic.framing != "confluent":
            self._by_header = [
                (_header(product, schema), fastavro.parse_schema(_readable(schema)))
                for schema in product.payload_schemas
            ]
        self._protobuf = (
            ProtobufFields(registry, [one for one in (self._uuid, self._event_time) if one])
            if product.topic.format == "protobuf"
            else None
        )
        if not enveloped:
            self._reader = fastavro.parse_schema(_readable(avro.reader_schema(product)))
        self._registry = registry
        self._writers: dict[int, Any] = {}

    def read(self, value: bytes | None, headers: Iterable[tuple[str, Any]] = ()) -> RecordIdentity:
        """Return what the record carries, a replayed one's uuid by where it stood first.

        Raises:
            RegistryUnavailableError: its schema could not be looked up.
        """
        found = self._read(value)
        if found.uuid is None and self._topic is not None:
            return replace(found, uuid=_uuid_of_origin(headers, self._topic))
        return found

    def _read(self, value: bytes | None) -> RecordIdentity:
        if value is None:
            return RecordIdentity()
        if self._is_json:
            return self._of_json(value)
        if self._protobuf is not None:
            return self._identity(self._protobuf.read(value))
        try:
            found = self._of_avro(value)
        except (*BROKEN, PoisonError):
            return RecordIdentity()
        if not isinstance(found, Mapping):
            return RecordIdentity()
        return self._identity(found)

    def _of_avro(self, value: bytes) -> Any:
        if self._by_header:
            found = ((header, one) for header, one in self._by_header if value.startswith(header))
            header, writer = next(found, (b"", "null"))
            body = value[len(header) :]
        else:
            schema_id, body = wire.split(value)
            writer = self._writer(schema_id)
        return fastavro.schemaless_reader(io.BytesIO(body), writer, self._reader)

    def _of_json(self, value: bytes) -> RecordIdentity:
        try:
            found = json.loads(value[wire.HEADER_BYTES :] if value[:1] == b"\0" else value)
        except (ValueError, RecursionError):
            return RecordIdentity()
        if self._is_change and isinstance(found, dict):
            held = found.get("payload")
            found = held if isinstance(held, dict) else found
        return self._identity(found)

    def _identity(self, found: Any) -> RecordIdentity:
        uuid = None if self._uuid is None else value_at(found, self._uuid)
        return RecordIdentity(
            None if uuid is None else str(uuid), self._instant(value_at(found, self._event_time))
        )

    def _instant(self, at: Any) -> datetime | None:
        try:
            if isinstance(at, str):
                at = datetime.fromisoformat(at)
                at = at if at.tzinfo else at.replace(tzinfo=UTC)
            elif isinstance(at, int):
                micros = int(at * self._micros // 1)
                at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        except (ValueError, TypeError, OverflowError):
            return None
        return at if isinstance(at, datetime) else None

    def _writer(self, schema_id: int) -> Any:
        if schema_id not in self._writers:
            schema = _readable(self._registry.schema(schema_id))
            self._writers[schema_id] = fastavro.parse_schema(schema)
        return self._writers[schema_id]


def _header(product: Product, schema: Mapping[str, Any]) -> bytes:
    return single_object.header(schema) if product.topic.framing == "singleObject" else b""


def _readable(schema: Mapping[str, Any]) -> Any:
    # fastavro takes logical types at their word.
    return logical_types.without_ignored(logical_types.with_text_uuids(schema))


def _uuid_of_origin(headers: Iterable[tuple[str, Any]], topic: CommittedOffsets) -> str | None:
    """Return the uuid of the coordinates that a replay's headers say; None of every other record."""
    parts = (dict(headers).get("headwater-origin") or b"").decode(errors="replace").split("/")
    if len(parts) != 4 or parts[0] != topic.topic_id:
        return None
    name = f"{topic.cluster_id}/{topic.topic}/{parts[1]}/{parts[2]}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))
