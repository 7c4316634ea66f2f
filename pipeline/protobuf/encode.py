"""Messages of a plan's record: what is sent by `headwater produce`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.protobuf.plan import Plan, Value, held
from pipeline.protobuf.projection import field_name, projected

if TYPE_CHECKING:
    from google.protobuf.message import Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000

Put = Callable[["Message", str, Any], None]
Fill = Callable[["Message", Any], None]


def message_encoder(plan: Plan) -> Callable[[Mapping[str, Any]], bytes]:
    """Return what writes a record as a message.

    Values are as `pipeline.avro.encode.encoder` takes them, or as fastavro does: times are counts of their
    unit or Python's own, decimals are unscaled or `Decimal`. What is None is left out. It raises ValueError,
    TypeError or KeyError for values that do not fit.
    """
    made, fill = projected(plan), _record(plan.root)

    def encode(record: Mapping[str, Any]) -> bytes:
        message = made()
        fill(message, record)
        return message.SerializeToString()

    return encode


def _record(value: Value) -> Fill:
    parts = [
        (one.name, field_name(one.number), _put(one.value))
        for one in value.fields
        if one.number is not None
    ]

    def fill(message: Message, record: Any) -> None:
        for name, field, put in parts:
            found = record[name]
            if found is not None:
                put(message, field, found)

    return fill


def _put(value: Value) -> Put:
    if value.kind in ("list", "map"):
        return _put_items(value)
    fill = _filler(value)
    if fill is None:
        scalar = _scalar(value)
        return lambda message, field, found: setattr(message, field, scalar(found))

    def put(message: Message, field: str, found: Any) -> None:
        inner = getattr(message, field)
        inner.SetInParent()
        fill(inner, found)

    return put


def _put_items(value: Value) -> Put:
    item = held(value)
    fill, is_map = _filler(item), value.kind == "map"
    scalar = None if fill else _scalar(item)

    def put(message: Message, field: str, found: Any) -> None:
        into = getattr(message, field)
        items = [{"key": key, "value": of} for key, of in found.items()] if is_map else found
        for one in items:
            if one is None:
                raise ValueError("Protobuf has no nulls in lists and maps")
            if fill is not None:
                fill(into.add(), one)
            elif scalar is not None:
                into.append(scalar(one))

    return put


def _filler(value: Value) -> Fill | None:
    """Return what fills the message that a value is; None where it is none."""
    if value.kind == "record":
        return _record(value)
    if value.kind == "wrapper":
        put = _put(held(value))
        return lambda message, found: put(message, field_name(1), found)
    if value.kind == "instant":
        return lambda message, found: _fill_instant(message, found, value.factor)
    return None


def _fill_instant(message: Message, found: Any, unit: int) -> None:
    nanos = _micros(found) * 1_000 if isinstance(found, datetime) else found * unit
    seconds, rest = divmod(nanos, _SECOND)
    setattr(message, field_name(1), seconds)
    setattr(message, field_name(2), rest)


def _scalar(value: Value) -> Callable[[Any], Any]:
    match value.kind:
        case "enum":
            numbers = {symbol: number for number, symbol in value.symbols.items()}
            return lambda found: numbers[found]
        case "text":
            return lambda found: found.encode()
        case "decimal":
            return lambda found: _unscaled(found, value.scale)
        case "integer":
            return lambda found: _count(found, value.factor)
    return lambda found: found


def _count(found: Any, factor: int) -> Any:
    if isinstance(found, datetime):
        return _micros(found) // factor
    return (found - _EPOCH.date()).days if isinstance(found, date) else found


def _micros(found: datetime) -> int:
    at = found if found.tzinfo else found.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(microseconds=1)


def _unscaled(found: Any, scale: int) -> bytes:
    number = int(found.scaleb(scale)) if isinstance(found, Decimal) else found
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    made: bytes = number.to_bytes(size, "big", signed=True)
    return made
