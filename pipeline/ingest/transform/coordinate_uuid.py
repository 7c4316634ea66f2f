"""UUIDs of records that bring none: version 5, of their coordinates."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kafka.identity import TopicIdentity
from pipeline.native import compiled

NAMESPACE = uuid.NAMESPACE_URL


def coordinate_uuid(topic: TopicIdentity, partition: int, offset: int) -> str:
    """Return the UUIDv5 of the name cluster/topic/partition/offset in the URL namespace."""
    return str(uuid.uuid5(NAMESPACE, f"{_prefix(topic)}{partition}/{offset}"))


def coordinate_uuids(
    topic: TopicIdentity, partitions: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]
) -> pa.Array:
    """Return `coordinate_uuid` of each record, as text."""
    begin = NAMESPACE.bytes + _prefix(topic).encode()
    names = np.zeros(len(begin) + 128, np.uint8)
    names[: len(begin)] = np.frombuffer(begin, np.uint8)
    text = np.empty((len(offsets), 36), np.uint8)
    _uuids(names, len(begin), partitions.astype(np.int64), offsets, text)
    ends = np.arange(0, 36 * len(offsets) + 1, 36, dtype=np.int32)
    return pa.Array.from_buffers(
        pa.string(), len(offsets), [None, pa.py_buffer(ends), pa.py_buffer(text)]
    )


def _prefix(topic: TopicIdentity) -> str:
    return f"{topic.cluster_id}/{topic.topic}/"


@compiled
def _uuids(name: Any, begin: int, partitions: Any, offsets: Any, text: Any) -> None:
    words = np.empty(80, np.uint32)
    digest = np.empty(20, np.uint8)
    hexadecimal = np.frombuffer(b"0123456789abcdef", np.uint8)
    for i in range(offsets.shape[0]):
        size = _digits(name, begin, partitions[i])
        name[size] = 47
        size = _digits(name, size + 1, offsets[i])
        _sha1(name, size, words, digest)
        digest[6] = (digest[6] & 0x0F) | 0x50
        digest[8] = (digest[8] & 0x3F) | 0x80
        at = 0
        for k in range(16):
            if k == 4 or k == 6 or k == 8 or k == 10:
                text[i, at] = 45
                at += 1
            text[i, at] = hexadecimal[digest[k] >> 4]
            text[i, at + 1] = hexadecimal[digest[k] & 15]
            at += 2


@compiled
def _digits(name: Any, at: int, number: int) -> int:
    """Write a number that is not negative in decimal; return where it ends."""
    count = 1
    rest = number // 10
    while rest > 0:
        rest //= 10
        count += 1
    for k in range(count):
        name[at + count - 1 - k] = 48 + number % 10
        number //= 10
    return at + count


@compiled
def _sha1(message: Any, size: int, words: Any, digest: Any) -> None:
    """SHA-1 (FIPS 180-4) of message[:size]; overwrites what follows it."""
    blocks = (size + 8) // 64 + 1
    for k in range(size, blocks * 64):
        message[k] = 0
    message[size] = 0x80
    for k in range(8):
        message[blocks * 64 - 1 - k] = (size * 8 >> (8 * k)) & 0xFF
    h0, h1, h2, h3, h4 = (
        np.uint32(0x67452301),
        np.uint32(0xEFCDAB89),
        np.uint32(0x98BADCFE),
        np.uint32(0x10325476),
        np.uint32(0xC3D2E1F0),
    )
    for block in range(blocks):
        for t in range(16):
            at = block * 64 + t * 4
            words[t] = (
                (np.uint32(message[at]) << np.uint32(24))
                | (np.uint32(message[at + 1]) << np.uint32(16))
                | (np.uint32(message[at + 2]) << np.uint32(8))
                | np.uint32(message[at + 3])
            )
        for t in range(16, 80):
            mixed = words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16]
            words[t] = _rotate(mixed, 1)
        a, b, c, d, e = h0, h1, h2, h3, h4
        for t in range(80):
            if t < 20:
                mixed = ((b & c) | (~b & d)) + np.uint32(0x5A827999)
            elif t < 40:
                mixed = (b ^ c ^ d) + np.uint32(0x6ED9EBA1)
            elif t < 60:
                mixed = ((b & c) | (b & d) | (c & d)) + np.uint32(0x8F1BBCDC)
            else:
                mixed = (b ^ c ^ d) + np.uint32(0xCA62C1D6)
            turned = np.uint32(_rotate(a, 5) + np.uint32(mixed) + e + words[t])
            a, b, c, d, e = turned, a, _rotate(b, 30), c, d
        h0, h1 = np.uint32(h0 + a), np.uint32(h1 + b)
        h2, h3, h4 = np.uint32(h2 + c), np.uint32(h3 + d), np.uint32(h4 + e)
    at = 0
    for h in (h0, h1, h2, h3, h4):
        digest[at] = h >> np.uint32(24)
        digest[at + 1] = (h >> np.uint32(16)) & np.uint32(0xFF)
        digest[at + 2] = (h >> np.uint32(8)) & np.uint32(0xFF)
        digest[at + 3] = h & np.uint32(0xFF)
        at += 4


@compiled
def _rotate(word: Any, bits: int) -> Any:
    return np.uint32(
        (np.uint32(word) << np.uint32(bits)) | (np.uint32(word) >> np.uint32(32 - bits))
    )
