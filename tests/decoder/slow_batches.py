"""Reading record batches in plain Python: the reference of the compiled reader."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import kafka.codec
from crc32c import crc32c

from tests.decoder.batches import Wrote

_DECODERS = {
    0: bytes,
    1: kafka.codec.gzip_decode,
    2: kafka.codec.snappy_decode,
    3: kafka.codec.lz4_decode,
    4: kafka.codec.zstd_decode,
}


class BrokenError(Exception):
    """The bytes are no batch."""


def read(data: bytes) -> tuple[int, list[Wrote]] | None:
    """Return the attributes and records of the one whole batch at the start of `data`.

    None where `data` ends before the batch does.

    Raises:
        BrokenError: the checksum is wrong, or the records do not fit.
    """
    if len(data) < 21:
        return None
    base, length, _, magic, crc = struct.unpack_from(">qiibI", data)
    if magic != 2:
        raise BrokenError("format")
    if 12 + length > len(data):
        return None
    sealed = data[21 : 12 + length]
    if length < 49 or crc32c(sealed) != crc:
        raise BrokenError("checksum")
    attributes, last, first, _, _, _, _, count = struct.unpack_from(">hiqqqhii", sealed)
    try:
        body = _DECODERS[attributes & 7](sealed[40:])
    except Exception as error:
        raise BrokenError("codec") from error
    reader = _Reader(body)
    records = [reader.record(base, first) for _ in range(count)]
    if any(not base <= one.offset <= base + last for one in records):
        raise BrokenError("offset")
    return attributes, records


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def record(self, base: int, first: int) -> Wrote:
        size = self._varint()
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise BrokenError("record length")
        self._at += 1
        time, offset = first + self._varint(), base + self._varint()
        key, value = self._bytes(end), self._bytes(end)
        headers = tuple(self._headers(end))
        if self._at != end:
            raise BrokenError("record end")
        return Wrote(offset, time, key, value, headers)

    def _headers(self, end: int) -> Iterator[tuple[str, bytes | None]]:
        count = self._varint()
        if count < 0:
            raise BrokenError("headers")
        for _ in range(count):
            name = self._bytes(end)
            if name is None:
                raise BrokenError("header name")
            yield name.decode(errors="replace"), self._bytes(end)

    def _bytes(self, end: int) -> bytes | None:
        size = self._varint()
        if size < 0:
            return None
        start, self._at = self._at, self._at + size
        if self._at > end:
            raise BrokenError("field length")
        return self._data[start : self._at]

    def _varint(self) -> int:
        found = shift = 0
        while True:
            if self._at >= len(self._data) or shift > 63:
                raise BrokenError("varint")
            byte = self._data[self._at]
            self._at += 1
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found &= 2**64 - 1
        return (found >> 1) ^ -(found & 1)
