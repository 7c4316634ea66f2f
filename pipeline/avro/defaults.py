"""Fields' defaults: JSON in a schema, Avro binary when a reader needs them."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

from pipeline.avro.schema import Schema, kind_of

_INTEGERS = {"int": 2**31, "long": 2**63}
_NUMBERS_IN_WORDS = ("NaN", "Infinity", "-Infinity")
_LARGEST_FLOAT = float.fromhex("0x1.ffffffp+127")


def fits(default: Any, schema: Any, names: Schema) -> bool:
    """Return whether JSON `default` is one of the type `schema` (of `names`, in normal form).

    As Avro Java judges. Beyond it: an enum's default is one of its symbols, bytes are code points 0 to 255,
    and as many as a fixed type has; of a union, the branch that Java then takes is the one that must fit.
    """
    schema = names.deref(schema)
    match kind_of(schema):
        case "union":
            number = _branch(default, schema, names)
            return number is not None and fits(default, schema[number], names)
        case "null":
            return default is None
        case "boolean":
            return isinstance(default, bool)
        case "int" | "long" as kind:
            limit = _INTEGERS[kind]
            return type(default) is int and -limit <= default < limit
        case "float" | "double" as kind:
            if isinstance(default, str):
                return default in _NUMBERS_IN_WORDS
            if isinstance(default, bool) or not isinstance(default, (int, float)):
                return False
            return _is_finite(default) and (kind == "double" or abs(default) < _LARGEST_FLOAT)
        case "string":
            return isinstance(default, str) and _is_text(default)
        case "bytes" | "fixed" as kind:
            if not isinstance(default, str) or any(ord(c) > 0xFF for c in default):
                return False
            return kind == "bytes" or len(default) == schema["size"]
        case "enum":
            return default in schema["symbols"]
        case "array":
            return isinstance(default, list) and all(
                fits(one, schema["items"], names) for one in default
            )
        case "map":
            return isinstance(default, Mapping) and all(
                _is_text(key) and fits(one, schema["values"], names) for key, one in default.items()
            )
        case "record":
            return isinstance(default, Mapping) and all(
                fits(default[f["name"]], f["type"], names)
                if f["name"] in default
                else "default" in f
                for f in schema["fields"]
            )
    return False


def encode(default: Any, schema: Any, names: Schema) -> bytes:
    """Return a default that fits, in Avro binary."""
    schema = names.deref(schema)
    match kind_of(schema):
        case "union":
            number = _branch(default, schema, names) or 0
            return _long(number) + encode(default, schema[number], names)
        case "null":
            return b""
        case "boolean":
            return bytes([default])
        case "int" | "long":
            return _long(default)
        case "float":
            return struct.pack("<f", float(default))
        case "double":
            return struct.pack("<d", float(default))
        case "string":
            return _sized(default.encode())
        case "bytes":
            return _sized(default.encode("latin-1"))
        case "fixed":
            return bytes(default.encode("latin-1"))
        case "enum":
            return _long(schema["symbols"].index(default))
        case "array":
            return _block([encode(one, schema["items"], names) for one in default])
        case "map":
            return _block(
                [
                    _sized(key.encode()) + encode(one, schema["values"], names)
                    for key, one in default.items()
                ]
            )
    return b"".join(
        encode(default.get(f["name"], f.get("default")), f["type"], names) for f in schema["fields"]
    )


def _branch(default: Any, union: list[Any], names: Schema) -> int | None:
    """Return the branch that a union's default is of: the first that Avro Java does not rule out."""
    if isinstance(default, str):
        wanted = {"string", "bytes", "fixed"}
    elif isinstance(default, bool) or default is None:
        wanted = {"null" if default is None else "boolean"}
    else:
        wanted = {"int", "long", "float", "double"} if isinstance(default, (int, float)) else set()
    # Java looks no further than at the first of these, whatever the default.
    wanted |= {"record", "enum", "array", "map"}
    kinds = [kind_of(names.deref(branch)) for branch in union]
    return next((number for number, kind in enumerate(kinds) if kind in wanted), None)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _block(items: list[bytes]) -> bytes:
    return (_long(len(items)) if items else b"") + b"".join(items) + b"\x00"


def _sized(body: bytes) -> bytes:
    return _long(len(body)) + body


def _long(number: int) -> bytes:
    left = (number << 1) ^ (number >> 63)
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)
