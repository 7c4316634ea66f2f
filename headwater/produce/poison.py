"""The bytes of each kind of record: an event as it should be, or spoiled in one chosen way."""

from __future__ import annotations

from headwater.produce.model import Event, Kind
from pipeline.contract.model import Product, Topic
from pipeline.produce.event_writer import EventWriter
from pipeline.schemas import single_object, wire

UNREGISTERED = 4_000_000_000
"""A schema id that no registry has given out."""


def record_of(
    writer: EventWriter, product: Product, kind: Kind, event: Event
) -> tuple[bytes | None, bytes | None]:
    """Return key and value of the record that `event` becomes when it is of `kind`.

    Raises:
        EncodingError: the payload does not fit its schema.
    """
    key, uuid, event_time, payload = event
    if kind is Kind.NO_VALUE:
        return key.encode(), None
    if kind is Kind.TOO_LARGE:
        large = b" " * (product.gates.payload_bytes + 1)
        return key.encode(), writer.frame(large, key=key, event_time=event_time, uuid=uuid)
    value = writer.encode(payload, key=key, event_time=event_time, uuid=uuid)
    match kind:
        case Kind.BAD_MAGIC:
            return key.encode(), b"\x7b" + value[1:]
        case Kind.UNKNOWN_SCHEMA:
            return key.encode(), value[:1] + UNREGISTERED.to_bytes(4, "big") + value[5:]
        case Kind.TRUNCATED:
            if product.topic.format == "protobuf":
                # Cut between two fields it would be a message.
                return key.encode(), value[:-1]
            # Its framing stays whole.
            framing = _header_bytes(product.topic)
            return key.encode(), value[: (len(value) + framing) // 2]
        case Kind.NULL_KEY:
            return None, value
        case Kind.WRONG_ENVELOPE:
            return f"not-{key}".encode(), value
        case _:
            return key.encode(), value


def _header_bytes(topic: Topic) -> int:
    if topic.has_schema_ids:
        return wire.HEADER_BYTES
    return single_object.HEADER_BYTES if topic.framing == "singleObject" else 0
