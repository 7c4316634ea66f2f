"""A set of uuids, 16 bytes each. Compiled."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.native import compiled

Words = npt.NDArray[np.uint64]
_LOAD = 0.75
_SMALLEST = 1024
# Drawn once a process, so that nobody can make texts that collide.
_SECRET = np.frombuffer(secrets.token_bytes(16), np.uint64)


class UuidSet:
    """A set of texts, exact for uuids in their canonical form (lower case, with hyphens).

    Such a uuid is kept as the 128 bits it is; any other text as its keyed 128-bit hash (SipHash-2-4
    under a key of this process), so that two of them are taken for one with a chance below 1e-18 among
    10 billion. 16 bytes a slot, at most 3 of 4 in use: 21 to 43 MB for a million texts.
    """

    def __init__(self) -> None:
        self._slots: Words = np.zeros((_SMALLEST, 2), np.uint64)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return self._slots.nbytes

    def add(self, words: Words) -> npt.NDArray[np.bool_]:
        """Add texts, as `words_of` gives them, in order; return which were new."""
        needed = (self._used + len(words)) / _LOAD
        if needed > len(self._slots):
            wider = np.zeros((1 << int(np.ceil(np.log2(needed))), 2), np.uint64)
            _add(wider, self._slots, np.empty(len(self._slots), np.bool_))
            self._slots = wider
        new = np.empty(len(words), np.bool_)
        self._used += _add(self._slots, words, new)
        return new


def words_of(texts: pl.Series) -> Words:
    """Return two words a text, never both zero."""
    arrow = texts.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, ends, data = arrow.buffers()
    offsets = np.frombuffer(ends, np.int64)[arrow.offset : arrow.offset + len(texts) + 1]
    raw = np.frombuffer(data if data is not None else b"", np.uint8)
    words = np.empty((len(texts), 2), np.uint64)
    _parse(raw, offsets, _SECRET, words)
    return words


@compiled
def _add(slots: Any, words: Any, new: Any) -> int:
    """Put words that are not zero into `slots`, a power of two long; return how many were new."""
    mask = np.uint64(slots.shape[0] - 1)
    added = 0
    for i in range(words.shape[0]):
        high, low = words[i, 0], words[i, 1]
        new[i] = False
        if high == 0 and low == 0:
            continue
        mixed = (high ^ (low * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
        at = (mixed ^ (mixed >> np.uint64(32))) & mask
        while True:
            there, below = slots[at, 0], slots[at, 1]
            if there == 0 and below == 0:
                slots[at, 0], slots[at, 1] = high, low
                new[i] = True
                added += 1
                break
            if there == high and below == low:
                break
            at = (at + np.uint64(1)) & mask
    return added


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
