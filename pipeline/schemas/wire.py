"""Confluent's wire format: one zero byte, a 4-byte big-endian schema id, then Avro binary."""

from __future__ import annotations

import struct

from pipeline.errors import PoisonError

MAGIC = 0
_HEADER = struct.Struct(">BI")
HEADER_BYTES = _HEADER.size
MAX_SCHEMA_ID = 2**32 - 1


class WireFormatError(PoisonError):
    """The bytes are not in the wire format."""


def encode(schema_id: int, avro: bytes) -> bytes:
    """Return `avro` behind its header.

    Raises:
        ValueError: the id does not fit into 4 unsigned bytes.
    """
    if not 0 <= schema_id <= MAX_SCHEMA_ID:
        raise ValueError(f"schema id {schema_id} is not in 0..{MAX_SCHEMA_ID}")
    return _HEADER.pack(MAGIC, schema_id) + avro


def split(value: bytes) -> tuple[int, bytes]:
    """Return schema id and Avro binary. Whether the id exists, or the Avro is whole, is not looked at.

    Raises:
        WireFormatError: the value is shorter than its header, or its first byte is not 0.
    """
    if len(value) < HEADER_BYTES:
        raise WireFormatError(
            f"{len(value)} bytes, fewer than the {HEADER_BYTES} of a header.",
            subject="record value",
            remedy="Produce it in Confluent's wire format.",
        )
    magic, schema_id = _HEADER.unpack_from(value)
    if magic != MAGIC:
        raise WireFormatError(
            f"first byte 0x{magic:02x}, not 0x00.",
            subject="record value",
            remedy="Produce it in Confluent's wire format.",
        )
    return schema_id, value[HEADER_BYTES:]
