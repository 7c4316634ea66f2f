"""The uuid and event time in a record's value, read apart from the ingest's own decoders."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException

from pipeline.avro import logical_types
from pipeline.contract.model import Product
from pipeline.contract.targets import avro
from pipeline.errors import PoisonError
from pipeline.schemas import wire
from pipeline.schemas.registry import Registry

# What fastavro raises on bytes that are not what the schema says, and on schemas that do not fit.
_BROKEN = (
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


@dataclass(frozen=True)
class RecordIdentity:
    """What tells one event from others: None is what its record does not carry, or cannot be read."""

    uuid: str | None = None
    event_time: datetime | None = None


class IdentityReader:
    """Tells the uuid and the event time that a record of one product's topic carries."""

    def __init__(self, product: Product, registry: Registry) -> None:
        enveloped = product.topic.envelope
        self._uuid = "uuid" if enveloped else product.uuid
        self._event_time = "timestamp" if enveloped else product.event_time
        self._reader = None
        self._is_json = product.topic.format == "json"
        self._per_second = 1_000 if _unit(product) == "timestamp-millis" else 1_000_000
        if not enveloped:
            self._reader = fastavro.parse_schema(_readable(avro.reader_schema(product)))
        self._registry = registry
        self._writers: dict[int, Any] = {}

    def read(self, value: bytes | None) -> RecordIdentity:
        """Return what the record carries.

        Raises:
            RegistryUnavailableError: its schema could not be looked up.
        """
        if value is None:
            return RecordIdentity()
        if self._is_json:
            return self._of_json(value)
        try:
            schema_id, body = wire.split(value)
            found = fastavro.schemaless_reader(
                io.BytesIO(body), self._writer(schema_id), self._reader
            )
        except (*_BROKEN, PoisonError):
            return RecordIdentity()
        if not isinstance(found, Mapping):
            return RecordIdentity()
        uuid = None if self._uuid is None else found.get(self._uuid)
        at = found.get(self._event_time)
        return RecordIdentity(
            None if uuid is None else str(uuid), at if isinstance(at, datetime) else None
        )

    def _of_json(self, value: bytes) -> RecordIdentity:
        try:
            found = json.loads(value[wire.HEADER_BYTES :] if value[:1] == b"\0" else value)
            uuid = None if self._uuid is None else found.get(self._uuid)
            at = found.get(self._event_time)
            if isinstance(at, str):
                at = datetime.fromisoformat(at)
                at = at if at.tzinfo else at.replace(tzinfo=UTC)
            elif isinstance(at, int):
                micros = at * (1_000_000 // self._per_second)
                at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return RecordIdentity()
        return RecordIdentity(
            None if uuid is None else str(uuid), at if isinstance(at, datetime) else None
        )

    def _writer(self, schema_id: int) -> Any:
        if schema_id not in self._writers:
            schema = _readable(self._registry.schema(schema_id))
            self._writers[schema_id] = fastavro.parse_schema(schema)
        return self._writers[schema_id]


def _unit(product: Product) -> str | None:
    fields = product.payload_schema["fields"]
    types = (field["type"] for field in fields if field["name"] == product.event_time)
    return next((logical_types.logical_type(one) for one in types), None)


def _readable(schema: Mapping[str, Any]) -> Any:
    # fastavro takes logical types at their word.
    return logical_types.without_ignored(logical_types.with_text_uuids(schema))
