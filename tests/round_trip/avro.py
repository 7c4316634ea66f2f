"""Avro as its specification says, in plain Python: names, logical types, bytes, and what they mean.

It shares no library with what is tested. Values are as they are on the wire: times are numbers,
decimals and floats their bytes, a union's value is (branch, value), a map's a list of pairs.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.varint import varint

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
DAYS = (-719_162, 2_932_896)
"""The first day of year 1 and the last of year 9999, from 1 January 1970."""
MICROS = (DAYS[0] * 86_400_000_000, (DAYS[1] + 1) * 86_400_000_000 - 1)
MILLIS = (MICROS[0] // 1000, MICROS[1] // 1000)
_BASES = {
    "date": "int",
    "time-millis": "int",
    "time-micros": "long",
    "timestamp-millis": "long",
    "timestamp-micros": "long",
    "local-timestamp-millis": "long",
    "local-timestamp-micros": "long",
    "uuid": "string",
}
RANGES = {
    "date": DAYS,
    "timestamp-millis": MILLIS,
    "local-timestamp-millis": MILLIS,
    "timestamp-micros": MICROS,
    "local-timestamp-micros": MICROS,
}
"""Logical type -> the numbers of years 1 to 9999."""


class OutOfRangeError(ValueError):
    """Sound Avro whose value no column holds."""


class NotUnderstoodError(ValueError):
    """No schema of these tests: nothing is known of what its values should become."""


@dataclass(frozen=True)
class Type:
    """A schema with its names resolved.

    Attributes:
        kind: Avro's name of it, or `union`.
        logical: its logical type, None where Avro says to ignore it.
        parts: fields of a record, branches of a union, items or values, by name.
        more: size, symbols, precision and scale.
    """

    kind: str
    logical: str | None = None
    parts: tuple[tuple[str, Type], ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def held(self) -> Type:
        """The type without null."""
        if self.kind != "union":
            return self
        (one,) = (part for _, part in self.parts if part.kind != "null")
        return one.held


def resolve(schema: Any) -> Type:
    """Return what a schema's parsed JSON says.

    Raises:
        NotUnderstoodError: it is none, or one that tables cannot hold.
    """
    try:
        return _resolve(schema, {}, "")
    except (KeyError, TypeError, AttributeError) as error:
        raise NotUnderstoodError(repr(error)) from error


def _resolve(schema: Any, names: dict[str, Type], space: str) -> Type:
    if isinstance(schema, list):
        parts = tuple((str(n), _resolve(one, names, space)) for n, one in enumerate(schema))
        if sum(part.kind != "null" for _, part in parts) != 1:
            raise NotUnderstoodError("a union of several types")
        return Type("union", parts=parts)
    if isinstance(schema, str):
        if schema in PRIMITIVES:
            return Type(schema)
        return names[schema if "." in schema or not space else f"{space}.{schema}"]
    kind = schema["type"]
    if not isinstance(kind, str) or kind not in (
        *PRIMITIVES,
        "record",
        "enum",
        "fixed",
        "array",
        "map",
    ):
        return _resolve(kind, names, space)
    if kind == "array":
        return Type(kind, parts=(("element", _resolve(schema["items"], names, space)),))
    if kind == "map":
        return Type(kind, parts=(("value", _resolve(schema["values"], names, space)),))
    if kind in ("record", "enum", "fixed"):
        return _named(schema, kind, names, space)
    return Type(kind, _logical(kind, schema), more=schema)


def _named(schema: Mapping[str, Any], kind: str, names: dict[str, Type], space: str) -> Type:
    name = schema["name"]
    inside = name.rpartition(".")[0] if "." in name else schema.get("namespace", space)
    full = name if "." in name or not inside else f"{inside}.{name}"
    parts: tuple[tuple[str, Type], ...] = ()
    if kind == "record":
        parts = tuple((f["name"], _resolve(f["type"], names, inside)) for f in schema["fields"])
    names[full] = Type(kind, _logical(kind, schema), parts, schema)
    return names[full]


def _logical(kind: str, schema: Mapping[str, Any]) -> str | None:
    named = schema.get("logicalType")
    if named == "decimal":
        precision, scale = schema.get("precision"), schema.get("scale", 0)
        if kind not in ("bytes", "fixed") or type(precision) is not int or type(scale) is not int:
            return None
        fits = kind == "bytes" or precision <= digits(schema["size"])
        return "decimal" if fits and precision > 0 and 0 <= scale <= precision else None
    return named if isinstance(named, str) and _BASES.get(named) == kind else None


def digits(size: int) -> int:
    """Return how many digits every number of `size` bytes in two's complement may have."""
    return math.floor(math.log10(2) * (8 * size - 1)) if size > 0 else 0


def encode(type_: Type, value: Any) -> bytes:
    """Return `value` in Avro binary."""
    kind = type_.kind
    if kind == "union":
        branch, inner = value
        return varint(branch) + encode(type_.parts[branch][1], inner)
    if kind == "record":
        return b"".join(encode(part, value[name]) for name, part in type_.parts)
    if kind == "array":
        return _blocks([encode(type_.parts[0][1], one) for one in value])
    if kind == "map":
        part = type_.parts[0][1]
        return _blocks([_sized(key.encode()) + encode(part, one) for key, one in value])
    if kind in ("int", "long"):
        return varint(value)
    if kind == "enum":
        return varint(type_.more["symbols"].index(value))
    if kind == "string":
        return _sized(value.encode())
    if kind == "bytes":
        return _sized(value)
    if kind == "boolean":
        return b"\1" if value else b"\0"
    return b"" if kind == "null" else bytes(value)


def _sized(data: bytes) -> bytes:
    return varint(len(data)) + data


def _blocks(items: list[bytes]) -> bytes:
    """Return items in one block, or two of which the first says its size."""
    if len(items) < 3:
        return (varint(len(items)) + b"".join(items) if items else b"") + b"\0"
    first = b"".join(items[:2])
    return varint(-2) + _sized(first) + varint(len(items) - 2) + b"".join(items[2:]) + b"\0"


def meant(type_: Type, value: Any) -> Any:
    """Return what a column must hold of `value`, as `tests.round_trip.told` tells columns.

    Raises:
        OutOfRangeError: no column can.
    """
    kind, logical = type_.kind, type_.logical
    if kind == "union":
        branch, inner = value
        return meant(type_.parts[branch][1], inner)
    if logical in RANGES:
        low, high = RANGES[logical]
        if not low <= value <= high:
            raise OutOfRangeError(f"{logical} {value}")
        return value * 1000 if logical.endswith("-millis") else value
    if logical == "decimal":
        number = int.from_bytes(value, "big", signed=True)
        if abs(number) >= 10 ** type_.more["precision"]:
            raise OutOfRangeError(f"decimal {number}")
        return number
    if kind == "record":
        return {name: meant(part, value[name]) for name, part in type_.parts}
    if kind == "array":
        return [meant(type_.parts[0][1], one) for one in value]
    if kind == "map":
        return sorted((key, meant(type_.parts[0][1], one)) for key, one in value)
    if kind in ("float", "double"):
        return struct.unpack("<i" if kind == "float" else "<q", value)[0]
    return value
