"""Reading one message at a time, by Google's library: slow, and the last word on what it is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from pipeline.avro.decoding.single import OutOfRangeError, UnreadableValueError
from pipeline.protobuf.plan import Field, Plan, Value, held
from pipeline.protobuf.projection import field_name, projected
from pipeline.protobuf.resolve import unknown_number, zero

if TYPE_CHECKING:
    from google.protobuf.message import Message

_EXACT = Context(prec=400)
_SECOND = 1_000_000_000

Convert = Callable[[Any], Any]


def reader(plan: Plan) -> Callable[[bytes], dict[str, Any]]:
    """Return what reads messages as records: dicts of what Arrow makes columns of, as that of Avro gives.

    What is returned raises UnreadableValueError and OutOfRangeError; their texts name the field.
    """
    from google.protobuf.message import DecodeError

    made = projected(plan)
    convert = _record(plan.root)

    def read(body: bytes) -> dict[str, Any]:
        try:
            message = made.FromString(body)
        except DecodeError:
            raise UnreadableValueError(f"no message {plan.message}, or cut short") from None
        found: dict[str, Any] = convert(message)
        return found

    return read


def _record(value: Value) -> Convert:
    steps = [(field.name, _field(field)) for field in value.fields]
    return lambda message: {name: step(message) for name, step in steps}


def _field(field: Field) -> Callable[[Message], Any]:
    value, absent = field.value, field.absent

    def missing(_: Message) -> Any:
        if absent.refused:
            raise UnreadableValueError(absent.refused)
        return absent.value

    if field.number is None:
        return missing
    name = field_name(field.number)
    if value.kind in ("list", "map"):
        convert = _converter(held(value), f"{field.path}[]")
        if value.kind == "map" or value.entries:
            return _entries(name, convert, as_records=value.entries)
        return lambda message: [convert(one) for one in getattr(message, name)]
    convert = _converter(value, field.path)
    if field.always:
        return lambda message: convert(getattr(message, name))
    return lambda message: (
        convert(getattr(message, name)) if message.HasField(name) else missing(message)
    )


def _entries(name: str, convert: Convert, *, as_records: bool) -> Callable[[Message], Any]:
    def entries(message: Message) -> list[Any]:
        # Of two with one key the later one counts.
        found = {one["key"]: one["value"] for one in map(convert, getattr(message, name))}
        if as_records:
            return [{"key": key, "value": value} for key, value in found.items()]
        return list(found.items())

    return entries


def _converter(value: Value, path: str) -> Convert:
    match value.kind:
        case "record":
            return _record(value)
        case "wrapper":
            return _wrapper(held(value), path)
        case "instant":
            return _instant(value, path)
        case "integer":
            return _integer(value, path)
        case "enum":
            return _enum(value, path)
        case "text":
            return _text(path)
        case "fixed":
            return _fixed(value.size, path)
        case "decimal":
            return _decimal(value, path)
    return lambda found: found


def _wrapper(item: Value, path: str) -> Convert:
    name, convert, absent = field_name(1), _converter(item, path), zero(item, path)

    def wrapper(message: Message) -> Any:
        if message.HasField(name):
            return convert(getattr(message, name))
        if absent.refused:
            raise UnreadableValueError(absent.refused)
        return absent.value

    return wrapper


def _instant(value: Value, path: str) -> Convert:
    seconds, nanos = field_name(1), field_name(2)
    unit = {1_000: "microseconds", 1_000_000: "milliseconds"}[value.factor]

    def instant(message: Message) -> int:
        of_second = getattr(message, nanos)
        if not 0 <= of_second < _SECOND:
            raise UnreadableValueError(f"{path}: {of_second} nanoseconds of a second")
        total = getattr(message, seconds) * _SECOND + of_second
        if not value.low * value.factor <= total < (value.high + 1) * value.factor:
            raise OutOfRangeError(f"{path}: {value.limit}")
        if total % value.factor:
            raise UnreadableValueError(f"{path}: {of_second} nanoseconds are no whole {unit}")
        found: int = total // 1_000
        return found

    return instant


def _integer(value: Value, path: str) -> Convert:
    def integer(found: int) -> int:
        if not value.low <= found <= value.high:
            raise OutOfRangeError(f"{path}: {value.limit}")
        return found * value.factor

    return integer


def _enum(value: Value, path: str) -> Convert:
    def enum(number: int) -> str:
        found = value.symbols.get(number, value.default)
        if found is None:
            raise UnreadableValueError(f"{path}: {unknown_number(value, number)}")
        return found

    return enum


def _text(path: str) -> Convert:
    def text(found: bytes) -> str:
        try:
            return found.decode()
        except UnicodeDecodeError:
            raise UnreadableValueError(f"{path}: text that is not UTF-8") from None

    return text


def _fixed(size: int, path: str) -> Convert:
    def fixed(found: bytes) -> bytes:
        if len(found) != size:
            raise UnreadableValueError(f"{path}: {len(found)} bytes, not {size}")
        return found

    return fixed


def _decimal(value: Value, path: str) -> Convert:
    limit = 10**value.precision

    def decimal(found: bytes) -> Decimal:
        if not found:
            raise UnreadableValueError(f"{path}: a decimal of no bytes")
        unscaled = int.from_bytes(found, "big", signed=True)
        if not -limit < unscaled < limit:
            raise OutOfRangeError(f"{path}: a decimal of more than {value.precision} digits")
        return Decimal(unscaled).scaleb(-value.scale, _EXACT)

    return decimal
