"""Protobuf's wire format by hand: the tests' own reference."""

from __future__ import annotations

import struct


def varint(number: int) -> bytes:
    left, out = number & (2**64 - 1), bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


def zigzag(number: int) -> bytes:
    return varint(number << 1 ^ number >> 63)


def integer(field: int, number: int) -> bytes:
    return varint(field << 3) + varint(number)


def fixed64(field: int, body: bytes) -> bytes:
    return varint(field << 3 | 1) + body


def block(field: int, body: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(body)) + body


def fixed32(field: int, body: bytes) -> bytes:
    return varint(field << 3 | 5) + body


def double(field: int, number: float) -> bytes:
    return fixed64(field, struct.pack("<d", number))


def timestamp(field: int, micros: int) -> bytes:
    seconds, rest = divmod(micros, 1_000_000)
    body = (integer(1, seconds) if seconds else b"") + (integer(2, rest * 1_000) if rest else b"")
    return block(field, body)


def framed(schema_id: int, body: bytes, indexes: bytes = b"\0") -> bytes:
    return b"\0" + schema_id.to_bytes(4, "big") + indexes + body
