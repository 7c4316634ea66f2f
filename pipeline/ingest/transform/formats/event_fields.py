"""What an event is by its payload's own fields, where values have no envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.avro.decoding.ranges import RANGES
from pipeline.avro.decoding.single import OutOfRangeError, UnreadableValueError
from pipeline.avro.field_path import value_at
from pipeline.contract.model import Product
from pipeline.contract.targets.event_time import micros_of_plain_time
from pipeline.ingest.transform.coordinate_uuid import coordinate_uuid
from pipeline.ingest.transform.formats.values import FoundEvent, PoisonedError
from pipeline.ingest.transform.origins import origin_of
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord


class EventFields:
    """Tells uuid, key and event time of one product's records by the fields that its contract names."""

    def __init__(self, product: Product, identity: TopicIdentity) -> None:
        self._product = product
        self._identity = identity
        self._unit = micros_of_plain_time(product)

    def event(self, record: RawRecord, fields: Mapping[str, Any], version: int) -> FoundEvent:
        """Return the event that a record's payload says.

        Raises:
            PoisonedError: it lacks a key or an event time.
        """
        product = self._product
        found = (value_at(fields, path) for path in product.key_paths)
        key = next((one for one in found if one is not None), None)
        if key is None or key == "":
            raise PoisonedError(Reason.NULL_KEY, f"{product.key} is null")
        if product.topic.debezium and fields["op"] is None:
            raise PoisonedError(Reason.INVALID_ENVELOPE, "op is null")
        instant = value_at(fields, product.event_time)
        if instant is None:
            raise PoisonedError(Reason.NO_EVENT_TIME, f"{product.event_time} is null")
        if self._unit is not None and isinstance(instant, int):
            instant = int(instant * self._unit // 1)
        named = value_at(fields, product.uuid) if product.uuid else None
        uuid = str(named) if named else self._coordinates_uuid(record)
        return FoundEvent(uuid, str(key), micros(instant, product.event_time), version, fields)

    def _coordinates_uuid(self, record: RawRecord) -> str:
        stood = origin_of(record, self._identity) or record
        return coordinate_uuid(self._identity, stood.partition, stood.offset)


def require_size(product: Product, payload: bytes) -> None:
    """Return if the gate lets a payload of so many bytes through.

    Raises:
        PoisonedError: it does not.
    """
    limit = product.gates.payload_bytes
    if len(payload) > limit:
        raise PoisonedError(Reason.PAYLOAD_TOO_LARGE, f"{len(payload)} bytes, over {limit}")


def read_body(body: bytes, read: Callable[[bytes], Any]) -> Any:
    """Return what `read` makes of bytes.

    Raises:
        PoisonedError: they are none of its schema, or hold what their column does not.
    """
    try:
        return read(body)
    except OutOfRangeError as error:
        raise PoisonedError(Reason.OUT_OF_RANGE, f"{error}"[:500]) from None
    except UnreadableValueError as error:
        raise PoisonedError(Reason.UNDECODABLE, f"{error}"[:500]) from None


def micros(instant: Any, field: str) -> int:
    """Return an instant as microseconds since the epoch.

    Raises:
        PoisonedError: it is none, or none that a column holds.
    """
    if instant is None:
        raise PoisonedError(Reason.NO_EVENT_TIME, f"{field} is null")
    if not isinstance(instant, int):
        raise PoisonedError(
            Reason.INVALID_ENVELOPE, f"{field}: {type(instant).__name__} is not an instant"
        )
    unit = RANGES["timestamp-micros"]
    if not unit.low <= instant <= unit.high:
        raise PoisonedError(Reason.OUT_OF_RANGE, f"{field}: a timestamp-micros {unit.limit}")
    return instant
