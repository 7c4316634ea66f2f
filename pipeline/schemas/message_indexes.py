"""Confluent's framing of Protobuf: header, indexes of the message in its schema, message.

The indexes are zigzag integers with their number before them; the file's first message, `[0]`, is a single 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.avro.encode import varint
from pipeline.schemas.wire import WireFormatError

MOST_INDEXES = 64
"""Messages within messages; more are not looked for."""


def indexes_bytes(indexes: Sequence[int]) -> bytes:
    """Return what stands for a message's indexes."""
    if list(indexes) == [0]:
        return b"\0"
    return varint(len(indexes)) + b"".join(varint(one) for one in indexes)


def split_indexes(body: bytes) -> tuple[tuple[int, ...], bytes]:
    """Return the indexes that what follows a header begins with, and the message.

    Raises:
        WireFormatError: they are cut short, or none.
    """
    count, place = _integer(body, 0)
    if count == 0:
        return (0,), body[place:]
    if not 0 < count <= MOST_INDEXES:
        raise _wrong(f"{count} indexes of a message")
    found: list[int] = []
    for _ in range(count):
        index, place = _integer(body, place)
        if not 0 <= index < 2**31:
            raise _wrong(f"index {index} of a message")
        found.append(index)
    return tuple(found), body[place:]


def _integer(body: bytes, place: int) -> tuple[int, int]:
    found = shift = 0
    for byte in body[place : place + 10]:
        place += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (found >> 1) ^ -(found & 1), place
        shift += 7
    raise _wrong("indexes of a message without an end")


def _wrong(what: str) -> WireFormatError:
    return WireFormatError(
        f"{what}.", subject="record value", remedy="Produce it by Confluent's Protobuf serializer."
    )
