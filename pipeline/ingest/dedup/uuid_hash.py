"""Texts as 128 bits each: what a `UuidSet` keeps. Compiled."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.native import compiled

Words = npt.NDArray[np.uint64]
# Drawn once a process, so that nobody can make texts that collide.
_SECRET = np.frombuffer(secrets.token_bytes(16), np.uint64)


def uuid_words(texts: pl.Series) -> Words:
    """Return two words a text, never both zero; equal words mean equal texts.

    A uuid in its canonical form (lower case, with hyphens) is the 128 bits it is, exactly; any other
    text is its keyed 128-bit hash (SipHash-2-4 under a key of this process), so that two of them are
    taken for one with a chance below 1e-18 among 10 billion.
    """
    arrow = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, ends, data = arrow.buffers()
    offsets = np.frombuffer(ends, np.int64)[arrow.offset : arrow.offset + len(texts) + 1]
    raw = np.frombuffer(data if data is not None else b"", np.uint8)
    words = np.empty((len(texts), 2), np.uint64)
    _parse(raw, offsets, _SECRET, words)
    return words


@compiled
def _parse(data: Any, offsets: Any, secret: Any, words: Any) -> None:
    for i in range(words.shape[0]):
        start, end = offsets[i], offsets[i + 1]
        high = np.uint64(0)
        low = np.uint64(0)
        canonical = end - start == 36
        if canonical:
            digits = 0
            for k in range(36):
                byte = data[start + k]
                if k == 8 or k == 13 or k == 18 or k == 23:
                    if byte != 45:
                        canonical = False
                        break
                    continue
                if 48 <= byte <= 57:
                    digit = np.uint64(byte - 48)
                elif 97 <= byte <= 102:
                    digit = np.uint64(byte - 87)
                else:
                    canonical = False
                    break
                if digits < 16:
                    high = (high << np.uint64(4)) | digit
                else:
                    low = (low << np.uint64(4)) | digit
                digits += 1
        if not canonical or (high == 0 and low == 0):
            high = _siphash(data, start, end, secret[0], secret[1])
            low = _siphash(data, start, end, secret[1], ~secret[0]) | np.uint64(1)
        words[i, 0], words[i, 1] = high, low


@compiled
def _siphash(data: Any, start: int, end: int, key0: Any, key1: Any) -> Any:
    """SipHash-2-4 of data[start:end] (Aumasson and Bernstein, 2012)."""
    v0 = key0 ^ np.uint64(0x736F6D6570736575)
    v1 = key1 ^ np.uint64(0x646F72616E646F6D)
    v2 = key0 ^ np.uint64(0x6C7967656E657261)
    v3 = key1 ^ np.uint64(0x7465646279746573)
    size = end - start
    place = start
    for block in range(size // 8 + 1):
        word = np.uint64(0)
        if block < size // 8:
            for k in range(8):
                word |= np.uint64(data[place + k]) << np.uint64(8 * k)
        else:
            word = np.uint64(size & 0xFF) << np.uint64(56)
            for k in range(size % 8):
                word |= np.uint64(data[place + k]) << np.uint64(8 * k)
        place += 8
        v3 ^= word
        for _ in range(2):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= np.uint64(0xFF)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@compiled
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 += v1
    v1 = _turn(v1, 13) ^ v0
    v0 = _turn(v0, 32)
    v2 += v3
    v3 = _turn(v3, 16) ^ v2
    v0 += v3
    v3 = _turn(v3, 21) ^ v0
    v2 += v1
    v1 = _turn(v1, 17) ^ v2
    v2 = _turn(v2, 32)
    return v0, v1, v2, v3


@compiled
def _turn(word: Any, bits: int) -> Any:
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))
