"""From a file's texts and values to what an Avro field holds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipeline.contract.targets.avro import logical_type, non_null, type_name

NULLS = frozenset({"", "NA", "NaN", "null", "NULL"})
"""Texts of a CSV that stand for no value."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BITS = {"int": 31, "long": 63}

Converter = Callable[[Any], Any]


class RowError(ValueError):
    """A row does not fit the schema; the text says which column and why."""


def row_converter(
    schema: Mapping[str, Any], *, texts: bool
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what turns a row, by column names, into a payload of `schema`.

    `texts`: the row is of a CSV, whose `NULLS` are null. Times without a zone are UTC. A column that is
    missing, or null where the field cannot be, takes the field's default. Raises RowError otherwise.
    """
    fields = [(f["name"], _field(f, texts=texts)) for f in schema["fields"]]

    def convert(row: Mapping[str, Any]) -> dict[str, Any]:
        payload = {}
        for name, of in fields:
            try:
                payload[name] = of(row.get(name))
            except (ValueError, TypeError, OverflowError) as error:
                raise RowError(f"{name}: {error}") from None
        return payload

    return convert


def required_columns(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that must have a column: neither nullable nor with a default."""
    return tuple(
        f["name"] for f in schema["fields"] if "default" not in f and not _nullable(f["type"])
    )


def _field(field: Mapping[str, Any], *, texts: bool) -> Converter:
    nullable = _nullable(field["type"])
    has_default = "default" in field
    default = field.get("default")
    convert = _value(field["type"])
    kind = type_name(field["type"])
    # A text field that must have a value may well hold `NA`, or be empty.
    nulls = NULLS if texts and (nullable or has_default or kind != "string") else frozenset()

    def of(value: Any) -> Any:
        if value is not None and not (nulls and value in nulls):
            return convert(value)
        if nullable:
            return None
        if has_default:
            return default
        raise ValueError("no value")

    return of


def _nullable(schema: Any) -> bool:
    return schema == "null" or (isinstance(schema, list) and "null" in schema)


def _value(schema: Any) -> Converter:
    match logical_type(schema):
        case "timestamp-micros" | "local-timestamp-micros":
            return lambda value: _instant(value, 1)
        case "timestamp-millis" | "local-timestamp-millis":
            return lambda value: _instant(value, 1000)
        case "date":
            return _day
    kind = type_name(schema)
    if kind in _BITS:
        return _whole(1 << _BITS[kind])
    if kind == "enum":
        symbols = frozenset(non_null(schema)["symbols"])
        return lambda value: _symbol(value, symbols)
    converters: Mapping[str, Converter] = {
        "float": _number,
        "double": _number,
        "boolean": _boolean,
        "string": _text,
        "bytes": _bytes,
    }
    # Records, arrays, maps and unions are as the file has them: the encoder checks.
    return converters.get(kind, lambda value: value)


def _whole(limit: int) -> Converter:
    def of(value: Any) -> int:
        try:
            number = int(value)
        except ValueError:
            number = int(float(value))
        if not -limit <= number < limit:
            raise OverflowError(f"{value!r} is too large")
        # What was cut off, by int() of a float or of a text like "1.5".
        if type(value) is not int and str(number) != value and _number(value) != number:
            raise ValueError(f"{value!r} is not a whole number")
        if isinstance(value, bool):
            raise TypeError("true and false are no numbers")
        return number

    return of


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in ("true", "t", "1", "yes"):
        return True
    if text in ("false", "f", "0", "no"):
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise TypeError(f"{value!r} is not a text")


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else _text(value).encode()


def _symbol(value: Any, symbols: frozenset[str]) -> str:
    if value not in symbols:
        raise ValueError(f"{value!r} is not one of {', '.join(sorted(symbols))}")
    return str(value)


def _instant(value: Any, micros: int) -> int:
    """Return microseconds or milliseconds since the epoch; whole numbers are that already."""
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(at, datetime):
        raise TypeError(f"{value!r} is not an instant")
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return (at - EPOCH) // _MICROSECOND // micros


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value))
