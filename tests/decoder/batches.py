"""Writing record batches of format 2 in plain Python: any codec, headers, transactions, markers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import kafka.codec
from crc32c import crc32c

from tests.support.varint import varint

CODECS = {
    0: bytes,
    1: kafka.codec.gzip_encode,
    2: kafka.codec.snappy_encode,
    3: kafka.codec.lz4_encode,
    4: kafka.codec.zstd_encode,
}
TRANSACTIONAL, CONTROL = 0x10, 0x20


@dataclass(frozen=True)
class Wrote:
    """One record as it was written; `offset` and `time` (ms) are absolute."""

    offset: int
    time: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = field(default=())


def batch(
    base: int,
    last: int,
    records: Sequence[Wrote],
    *,
    codec: int = 0,
    attributes: int = 0,
    producer: int = -1,
) -> bytes:
    """Return the batch of offsets [base, last] that holds `records`; others were compacted away."""
    first = records[0].time if records else 0
    body: bytes = CODECS[codec](b"".join(_record(one, base, first) for one in records))
    after_crc = struct.pack(
        ">hiqqqhii",
        attributes | codec,
        last - base,
        first,
        max((one.time for one in records), default=0),
        producer,
        0,
        0,
        len(records),
    )
    sealed = after_crc + body
    length = 4 + 1 + 4 + len(sealed)
    return struct.pack(">qiibI", base, length, 0, 2, crc32c(sealed)) + sealed


def marker(offset: int, producer: int, *, aborts: bool) -> bytes:
    """Return a transaction's control batch."""
    key = struct.pack(">hh", 0, 0 if aborts else 1)
    wrote = Wrote(offset, 0, key, struct.pack(">hi", 0, 0))
    return batch(offset, offset, [wrote], attributes=TRANSACTIONAL | CONTROL, producer=producer)


def resealed(data: bytes) -> bytes:
    """Return one batch with length and checksum made to fit whatever stands in it."""
    if len(data) < 21:
        return data
    head = bytearray(data)
    struct.pack_into(">i", head, 8, len(data) - 12)
    struct.pack_into(">I", head, 17, crc32c(data[21:]))
    return bytes(head)


def _record(one: Wrote, base: int, first: int) -> bytes:
    body = b"\0" + varint(one.time - first) + varint(one.offset - base)
    body += _bytes(one.key) + _bytes(one.value) + varint(len(one.headers))
    for name, value in one.headers:
        body += _bytes(name.encode()) + _bytes(value)
    return varint(len(body)) + body


def _bytes(data: bytes | None) -> bytes:
    return varint(-1) if data is None else varint(len(data)) + data
