"""Numbers as Avro and Kafka write them, zig-zag and seven bits a byte, apart from the engine's own."""

from __future__ import annotations


def varint(number: int) -> bytes:
    """Return an int or long of Avro, or a varint or varlong of Kafka's record batches."""
    left = (number << 1) ^ (number >> 63)
    out = bytearray()
    while left >= 0x80:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])
