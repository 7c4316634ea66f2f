"""Avro binary as plain Python, by the specification alone: one schema, no resolution, no logical types.

Numbers, bytes, texts, symbols, lists and dicts as on the wire: a time is a number, a decimal its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

Schema = Any
"""Parsed JSON."""

_NAMED = ("record", "error", "enum", "fixed")


def decode(schema: Schema, body: bytes) -> Any:
    """Return the value that `body` holds under `schema`.

    Raises:
        ValueError: it holds none, or more than one.
    """
    reader = _Reader(body)
    found = reader.value(schema, "", {})
    if reader.place != len(body):
        raise ValueError(f"{len(body) - reader.place} bytes follow the value")
    return found


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body, self.place = body, 0

    def value(self, schema: Schema, space: str, names: dict[str, tuple[Schema, str]]) -> Any:
        if isinstance(schema, list):
            return self.value(schema[self._number()], space, names)
        if isinstance(schema, str):
            full = schema if schema in names else f"{space}.{schema}" if space else schema
            if full in names:
                return self.value(*names[full], names)
            return self._primitive(schema)
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.value(kind, space, names)
        if kind in _NAMED:
            space = _defined(schema, space, names)
        if kind in ("record", "error"):
            return {f["name"]: self.value(f["type"], space, names) for f in schema["fields"]}
        if kind == "enum":
            return schema["symbols"][self._number()]
        if kind == "fixed":
            return self._take(schema["size"])
        if kind == "array":
            return [self.value(schema["items"], space, names) for _ in self._items()]
        if kind == "map":
            return {
                self._primitive("string"): self.value(schema["values"], space, names)
                for _ in self._items()
            }
        return self.value(kind, space, names)

    def _primitive(self, kind: str) -> Any:
        match kind:
            case "null":
                return None
            case "boolean":
                return self._take(1) == b"\x01"
            case "int" | "long":
                return self._number()
            case "float":
                return struct.unpack("<f", self._take(4))[0]
            case "double":
                return struct.unpack("<d", self._take(8))[0]
            case "bytes":
                return self._take(self._number())
            case "string":
                return self._take(self._number()).decode()
            case _:
                raise ValueError(f"no type {kind}")

    def _items(self) -> Any:
        while count := self._number():
            if count < 0:
                self._number()
            yield from range(abs(count))

    def _number(self) -> int:
        found = shift = 0
        while True:
            (byte,) = self._take(1)
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (found >> 1) ^ -(found & 1)
            shift += 7

    def _take(self, size: int) -> bytes:
        found = self._body[self.place : self.place + size]
        if size < 0 or len(found) < size:
            raise ValueError(f"{size} bytes wanted, {len(found)} left")
        self.place += size
        return found


def _defined(schema: Mapping[str, Any], space: str, names: dict[str, tuple[Schema, str]]) -> str:
    """Note the named type of `schema` under its full name; return the namespace within it."""
    name = schema["name"]
    if "." in name:
        space = name.rpartition(".")[0]
    elif schema.get("namespace") is not None:
        space = schema["namespace"]
    full = name if "." in name or not space else f"{space}.{name}"
    names[full] = (schema, space)
    return space
