"""Values as YAML has them, as the values of Spark's types that they stand for. Pure functions."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pyspark.sql import types as spark

from pipeline.config.nearest import did_you_mean
from pipeline.contract.settings.units import parse_instant
from pipeline.contract.source.document import Loc
from pipeline.contract.source.yaml_scalars import plain_scalar

_BITS: Mapping[type[spark.DataType], int] = {spark.IntegerType: 32, spark.LongType: 64}


class BadValueError(ValueError):
    """A value is none of its column's type; `loc` is where within it."""

    def __init__(self, loc: Loc, expected: str) -> None:
        super().__init__(expected)
        self.loc = loc


def spark_value(value: Any, type_: spark.DataType, loc: Loc = ()) -> Any:
    """Return what `value` stands for in a column of `type_`: records and maps as dicts, instants in UTC.

    Raises:
        BadValueError: it stands for no such value.
    """
    if value is None:
        return None
    if isinstance(type_, spark.StructType):
        return _record(value, type_, loc)
    if isinstance(type_, spark.ArrayType):
        items = _of(value, list, "a list", loc)
        return [spark_value(one, type_.elementType, (*loc, n)) for n, one in enumerate(items)]
    if isinstance(type_, spark.MapType):
        entries = _of(value, dict, "a mapping", loc)
        return {
            spark_value(_key(key, type_.keyType), type_.keyType, (*loc, key)): spark_value(
                one, type_.valueType, (*loc, key)
            )
            for key, one in entries.items()
        }
    try:
        return _plain(value, type_)
    except (ValueError, InvalidOperation, OverflowError):
        raise BadValueError(loc, f"{_named(type_)}, not {value!r}") from None


def _record(value: Any, type_: spark.StructType, loc: Loc) -> dict[str, Any]:
    given = _of(value, dict, "a mapping", loc)
    for name in given:
        if name not in type_.names:
            known = ", ".join(type_.names)
            hint = did_you_mean(name, type_.names)
            raise BadValueError(
                (*loc, name), f"a field of the record ({known}); not {name!r}{hint}"
            )
    return {
        field.name: spark_value(given.get(field.name), field.dataType, (*loc, field.name))
        for field in type_
    }


def _of(value: Any, kind: type, wanted: str, loc: Loc) -> Any:
    if not isinstance(value, kind):
        raise BadValueError(loc, f"{wanted}, not {value!r}")
    return value


def _key(text: str, type_: spark.DataType) -> Any:
    return text if isinstance(type_, spark.StringType) else plain_scalar(text)


def _plain(value: Any, type_: spark.DataType) -> Any:
    """Return the value of a type that has none inside.

    Raises:
        ValueError, InvalidOperation, OverflowError: it is none.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match type_:
        case spark.BooleanType() if isinstance(value, bool):
            return value
        case spark.IntegerType() | spark.LongType() if isinstance(value, int) and is_number:
            if not -(2 ** (_BITS[type(type_)] - 1)) <= value < 2 ** (_BITS[type(type_)] - 1):
                raise OverflowError
            return value
        case spark.FloatType() if is_number:
            return struct.unpack("f", struct.pack("f", value))[0]
        case spark.DoubleType() if is_number:
            return float(value)
        case spark.DecimalType() if is_number or isinstance(value, str):
            return _decimal(str(value), type_)
        case spark.StringType() if isinstance(value, str):
            return value
        case spark.BinaryType() if isinstance(value, str):
            return bytes.fromhex(value)
        case spark.DateType() if isinstance(value, str):
            return date.fromisoformat(value)
        case spark.DateType() if isinstance(value, date) and not isinstance(value, datetime):
            return value
        case spark.TimestampType():
            return parse_instant(value)
        case spark.TimestampNTZType():
            return parse_instant(value).replace(tzinfo=None)
    raise ValueError


def _decimal(text: str, type_: spark.DecimalType) -> Decimal:
    found = Decimal(text)
    held = found.quantize(Decimal(1).scaleb(-type_.scale))
    if held != found or held.adjusted() >= type_.precision - type_.scale:
        raise InvalidOperation
    return held


def _named(type_: spark.DataType) -> str:
    names: dict[type[spark.DataType], str] = {
        spark.StringType: "a text (quote what YAML takes for something else)",
        spark.BinaryType: "bytes as hexadecimal text",
        spark.TimestampType: "an ISO 8601 time",
        spark.TimestampNTZType: "an ISO 8601 time",
        spark.DateType: "a date",
    }
    return names.get(type(type_), f"a value of type {type_.simpleString()}")


def same(expected: Any, found: Any, tolerance: float) -> bool:
    """Return whether two values are equal, floating numbers to within `tolerance`; NaN is equal to NaN."""
    if isinstance(expected, float) and isinstance(found, float):
        if math.isnan(expected) or math.isnan(found):
            return math.isnan(expected) and math.isnan(found)
        return expected == found or abs(expected - found) <= tolerance
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            same(expected[key], found[key], tolerance) for key in expected
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(
            same(one, other, tolerance) for one, other in zip(expected, found, strict=True)
        )
    return bool(expected == found)
