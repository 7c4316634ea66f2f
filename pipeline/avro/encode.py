"""Avro's binary encoding, compiled from a schema: faithful to the letter, guessing nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import fastavro

from pipeline.avro.logical_types import valid_logical, without_ignored

Encoder = Callable[[Any], bytes]

_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")


def named(schema: Any) -> tuple[Any, dict[str, Any]]:
    """Return `schema` with full names and what each stands for, without logical types that mean nothing."""
    names: dict[str, Any] = {}
    known = unwrapped(without_ignored(schema))
    return fastavro.parse_schema(known, named_schemas=names, _write_hint=False), names


def unwrapped(schema: Any) -> Any:
    """Return `schema` without types that only hold another, like {"type": {"type": "int"}}."""
    if isinstance(schema, list):
        return [unwrapped(branch) for branch in schema]
    if not isinstance(schema, Mapping):
        return schema
    if isinstance(schema["type"], Mapping | list):
        return unwrapped(schema["type"])
    parts = {key: unwrapped(schema[key]) for key in ("items", "values") if key in schema}
    if "fields" in schema:
        parts["fields"] = [{**f, "type": unwrapped(f["type"])} for f in schema["fields"]]
    return {**schema, **parts}


def plain(schema: Any, names: Mapping[str, Any]) -> Any:
    """Return what a name or a wrapper stands for: a mapping whose `type` is Avro's, or a union's list."""
    while not isinstance(schema, list):
        if isinstance(schema, str):
            if schema not in names:
                return {"type": schema}
            schema = names[schema]
        elif isinstance(schema["type"], str) and schema["type"] not in names:
            return schema
        else:
            schema = schema["type"]
    return schema


def encoder(schema: Any) -> Encoder:
    """Return what encodes a value of `schema`.

    Values: None, bool, int, float, str and bytes; a decimal is its unscaled int, every time its count of
    the schema's unit; lists, and mappings by field or key. A union takes None for null, and else its one
    other type. Values must fit: they are not looked at.
    """
    root, names = named(schema)
    return _compile(root, names, {})


def _compile(schema: Any, names: Mapping[str, Any], made: dict[str, Encoder]) -> Encoder:
    schema = plain(schema, names)
    if isinstance(schema, list):
        return _union(schema, names, made)
    kind = schema["type"]
    if kind in ("record", "error"):
        name = schema["name"]
        if name not in made:
            made[name] = lambda value: record(value)
            fields = [(f["name"], _compile(f["type"], names, made)) for f in schema["fields"]]

            def record(value: Mapping[str, Any]) -> bytes:
                return b"".join([of(value[field]) for field, of in fields])

            made[name] = record
        return made[name]
    if kind == "array":
        item = _compile(schema["items"], names, made)
        return lambda value: _block(len(value), b"".join(map(item, value)))
    if kind == "map":
        item = _compile(schema["values"], names, made)
        return lambda value: _block(
            len(value), b"".join(_text(key) + item(one) for key, one in value.items())
        )
    if kind == "enum":
        codes = {symbol: varint(number) for number, symbol in enumerate(schema["symbols"])}
        return codes.__getitem__
    if valid_logical(schema) == "decimal":
        size = schema.get("size")
        return _number if size is None else lambda value: value.to_bytes(size, "big", signed=True)
    return _PRIMITIVES[kind]


def _union(branches: list[Any], names: Mapping[str, Any], made: dict[str, Encoder]) -> Encoder:
    null, other, of = b"", b"", None
    for number, branch in enumerate(branches):
        found = plain(branch, names)
        if found["type"] == "null":
            null = varint(number)
        elif of is None:
            other, of = varint(number), _compile(branch, names, made)
        else:
            raise ValueError("a union of more than one type besides null")

    def union(value: Any) -> bytes:
        return null if value is None or of is None else other + of(value)

    return union


def _encode_varint(value: int) -> bytes:
    left = (value << 1) ^ (value >> 63)
    out = bytearray()
    while left > 0x7F:
        out.append((left & 0x7F) | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


_SMALL = [_encode_varint(value) for value in range(1024)]


def varint(value: int) -> bytes:
    """Return an int or long."""
    return _SMALL[value] if 0 <= value < 1024 else _encode_varint(value)


def _text(value: str) -> bytes:
    return _bytes(value.encode())


def _bytes(value: bytes) -> bytes:
    return varint(len(value)) + value


def _number(value: int) -> bytes:
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return varint(size) + value.to_bytes(size, "big", signed=True)


def _block(count: int, items: bytes) -> bytes:
    return varint(count) + items + b"\x00" if count else b"\x00"


_PRIMITIVES: Mapping[str, Encoder] = {
    "null": lambda _: b"",
    "boolean": lambda value: b"\x01" if value else b"\x00",
    "int": varint,
    "long": varint,
    "float": _FLOAT.pack,
    "double": _DOUBLE.pack,
    "bytes": _bytes,
    "string": _text,
    "fixed": lambda value: value,
}
