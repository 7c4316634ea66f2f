"""Protobuf's wire format, bit by bit. Compiled. Strict: what is odd is left to a general reader."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.native import compiled

MOST_INDEXES, INDEX_BITS = 3, 15
"""What a path of indexes may have to be told by one number."""


@compiled
def read_varint(data: Any, pos: int, end: int) -> Any:
    """Return 64 bits as a signed number and where they ended, or (0, -1)."""
    if pos < end and data[pos] < 0x80:
        return np.int64(data[pos]), pos + 1
    result = np.uint64(0)
    shift = np.uint64(0)
    for _ in range(10):
        if pos >= end:
            return np.int64(0), -1
        byte = data[pos]
        pos += 1
        result |= np.uint64(byte & 0x7F) << shift
        if byte < 0x80:
            if shift == 63 and byte > 1:
                return np.int64(0), -1
            return np.int64(result), pos
        shift += np.uint64(7)
    return np.int64(0), -1


@compiled
def read_size(data: Any, pos: int, end: int) -> Any:
    """Return a length of what follows and where it begins; (0, -1) where so much does not follow."""
    size, pos = read_varint(data, pos, end)
    if pos < 0 or size < 0 or size > end - pos:
        return np.int64(0), -1
    return size, pos


@compiled
def read_bits(data: Any, pos: int, size: int) -> Any:
    """Return `size` little-endian bytes as an unsigned number's bits."""
    bits = np.int64(0)
    for k in range(size):
        bits |= np.int64(data[pos + k]) << (8 * k)
    return bits


@compiled
def skip(data: Any, pos: int, end: int, wire: int) -> int:
    """Return where a value ends; -1 where it is cut short, or a group."""
    if wire == 0:
        _, pos = read_varint(data, pos, end)
        return pos
    if wire == 2:
        size, pos = read_size(data, pos, end)
        return -1 if pos < 0 else pos + size
    size = 8 if wire == 1 else 4 if wire == 5 else -1
    if size < 0 or size > end - pos:
        return -1
    return pos + size


@compiled
def read_path(data: Any, pos: int, end: int) -> Any:
    """Return the indexes of a message as one number and where they ended, or (0, -1)."""
    count, pos = read_varint(data, pos, end)
    # Zigzag: twice the number.
    if pos < 0 or count < 0 or count & 1 or count >> 1 > MOST_INDEXES:
        return np.int64(0), -1
    if count == 0:
        return np.int64(1) << INDEX_BITS, pos
    path = np.int64(count >> 1)
    for _ in range(count >> 1):
        index, pos = read_varint(data, pos, end)
        if pos < 0 or index < 0 or index & 1 or index >> 1 >= 1 << INDEX_BITS:
            return np.int64(0), -1
        path = path << INDEX_BITS | index >> 1
    return path, pos


def path_of(number: int) -> tuple[int, ...]:
    """Return the indexes that `read_path` made a number of."""
    for count in range(1, MOST_INDEXES + 1):
        if number >> INDEX_BITS * count == count:
            mask = (1 << INDEX_BITS) - 1
            return tuple(number >> INDEX_BITS * k & mask for k in reversed(range(count)))
    raise ValueError(f"{number} is no path of indexes")
