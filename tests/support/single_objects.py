"""Single objects of Avro, by the specification's own words, of the test product plain_orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEADER = b"\xc3\x01"
EMPTY = 0xC15D213AA4D7A795
META = (
    '{"name":"shop.Meta","type":"record","fields":[{"name":"id","type":"string"},'
    '{"name":"customer","type":"int"},{"name":"at","type":"long"}]}'
)
FIRST = (
    '{"name":"shop.Order","type":"record","fields":[{"name":"meta","type":' + META + "},"
    '{"name":"amount","type":"double"},{"name":"tags","type":{"type":"array","items":"string"}}'
)
CANONICAL = (FIRST + "]}", FIRST + ',{"name":"note","type":["null","string"]}]}')
"""The parsing canonical forms of both versions, by hand."""


def crc_64_avro(data: bytes) -> int:
    """Return the fingerprint of some bytes, as the Avro specification computes it."""
    found = EMPTY
    for byte in data:
        mixed = (found ^ byte) & 0xFF
        for _ in range(8):
            mixed = (mixed >> 1) ^ (EMPTY & -(mixed & 1))
        found = (found >> 8) ^ mixed
    return found


def single_object_of(schema: Mapping[str, Any], body: bytes) -> bytes:
    """Return a value that any schema without a namespace has written."""
    return HEADER + crc_64_avro(_canonical(schema).encode()).to_bytes(8, "little") + body


def single_object(version: int, body: bytes) -> bytes:
    """Return a value that a version of the product's payload has written."""
    return HEADER + crc_64_avro(CANONICAL[version - 1].encode()).to_bytes(8, "little") + body


def _canonical(schema: Any) -> str:
    """Return the parsing canonical form, whose fields stand in the specification's order."""
    if isinstance(schema, str):
        return f'"{schema}"'
    if isinstance(schema, list):
        return "[" + ",".join(map(_canonical, schema)) + "]"
    kind = schema["type"]
    if kind in ("record", "enum"):
        head = f'{{"name":"{schema["name"]}","type":"{kind}",'
        if kind == "enum":
            return head + '"symbols":[' + ",".join(f'"{one}"' for one in schema["symbols"]) + "]}"
        fields = (
            f'{{"name":"{f["name"]}","type":{_canonical(f["type"])}}}' for f in schema["fields"]
        )
        return head + '"fields":[' + ",".join(fields) + "]}"
    if kind == "array":
        return f'{{"type":"array","items":{_canonical(schema["items"])}}}'
    return _canonical(kind)
