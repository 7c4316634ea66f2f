"""Payloads as the record values that a contract says: encoded, and in their framing or envelope."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import fastavro

from pipeline.avro.encode import encoder
from pipeline.contract.model import Product
from pipeline.errors import TerminalError
from pipeline.produce.protobuf import value_encoder
from pipeline.rows.json_write import json_encoder
from pipeline.schemas import single_object, wire
from pipeline.schemas.message_indexes import indexes_bytes
from pipeline.schemas.registration import register_product, register_protobuf
from pipeline.schemas.registry import Registry

Encode = Callable[[Mapping[str, Any]], bytes]


class EncodingError(TerminalError):
    """A payload does not fit its schema."""


def payload_encoder(product: Product) -> Encode:
    """Return what encodes a payload, as `pipeline.rows.convert` gives it, in the format of the contract.

    What is returned raises ValueError, TypeError or KeyError where a .proto has no place for a value.

    Raises:
        ProtocMissingError: the extra `protobuf` is not installed.
    """
    match product.topic.format:
        case "json":
            return json_encoder(product.payload_schema)
        case "protobuf":
            return value_encoder(product)
    return encoder(dict(product.payload_schema))


class ValueFrame:
    """What stands around a product's encoded payloads.

    Attributes:
        schema_id: the registry's id of the value's schema; 0 where values have none.
        version: of the payload's schema: the newest that the contract lists.
    """

    def __init__(self, product: Product, registry: Registry) -> None:
        """Register the product's schemas, where values have ids of them.

        Raises:
            RegistryUnavailableError, IncompatibleSchemaError: as `register_product`.
        """
        self.schema_id = 0
        self.version = len(product.payload_schemas)
        self._topic = product.topic.name
        self._header: bytes | None = None
        self._envelope: Any = None
        if product.topic.format == "json" or product.topic.framing == "none":
            self._header = b""
        elif product.topic.format == "protobuf":
            self.schema_id = register_protobuf(registry, product).id
            self._header = wire.encode(self.schema_id, indexes_bytes((0,)))
        elif product.topic.framing == "singleObject":
            self._header = single_object.header(product.payload_schema)
        else:
            self.schema_id = register_product(registry, product)[product.value_subject].id
            self._header = wire.encode(self.schema_id, b"")
        if product.envelope_schema is not None:
            self._envelope = fastavro.parse_schema(dict(product.envelope_schema))

    def value(self, payload: bytes, *, key: str, event_time: int, uuid: str) -> bytes:
        """Return the record value of an encoded payload.

        `event_time` is in microseconds since the epoch. Without an envelope key, event time and uuid are
        the payload's own, and those given here are not written.
        """
        if self._envelope is None:
            return (self._header or b"") + payload
        return self.enveloped(
            payload, key=key, event_time=event_time, uuid=uuid, version=self.version
        )

    def enveloped(
        self, payload: bytes, *, key: str, event_time: int, uuid: str, version: int
    ) -> bytes:
        """Return the record value around payload bytes, which are not looked at.

        Raises:
            EncodingError: the product has no envelope.
        """
        if self._envelope is None:
            raise EncodingError(
                "the product has no envelope.",
                subject=self._topic,
                remedy="Send bare payloads.",
            )
        out = io.BytesIO()
        envelope = {
            "uuid": uuid,
            "key": key,
            "schema_version": version,
            "timestamp": event_time,
            "payload": payload,
        }
        fastavro.schemaless_writer(out, self._envelope, envelope)
        return wire.encode(self.schema_id, out.getvalue())
