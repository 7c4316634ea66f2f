"""The values that decoding writes into nodes, in Arrow's layout. Compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.avro.kinds import CAPACITY, CURSOR, LIST, MAP, NUMBER, PLACE, SLOT
from pipeline.native import compiled


@compiled
def room(nodes: Any, node: int) -> int:
    """Return where the node's next value goes, -1 if nothing more fits."""
    at = nodes[node, CURSOR]
    if at >= nodes[node, CAPACITY]:
        return -1
    return at  # type: ignore[no-any-return]


@compiled
def put_view(slots: Any, slot: int, data: Any, pos: int, size: int) -> None:
    """Write a view of `size` bytes in Arrow's layout: short ones inline, others by place."""
    base = slot * 4
    slots[base] = size
    slots[base + 1] = 0
    slots[base + 2] = 0
    slots[base + 3] = 0
    inline = size if size <= 12 else 4
    for k in range(inline):
        slots[base + 1 + (k >> 2)] |= np.int32(data[pos + k]) << np.int32(8 * (k & 3))
    if size > 12:
        slots[base + 3] = pos


@compiled
def put_null(
    nodes: Any, node: int, at: int, kind: int, child: int, numbers: Any, slots: Any
) -> None:
    """Write what stands under a null: zeros, or the end of an empty list."""
    place = nodes[node, PLACE] + at
    if kind == NUMBER:
        numbers[place] = 0
    elif kind == SLOT:
        for k in range(4):
            slots[place * 4 + k] = 0
    elif kind == LIST or kind == MAP:
        numbers[place] = nodes[child, CURSOR]


@compiled
def put_decimal(
    slots: Any, slot: int, data: Any, pos: int, size: int, tables: Any, digits: int
) -> bool:
    """Write a big-endian number as 16 little-endian bytes; return whether it has that few digits."""
    fill = np.uint64(0xFF) if data[pos] >= 0x80 else np.uint64(0)
    for k in range(size - 16):
        if data[pos + k] != fill:
            return False
    high = np.uint64(0)
    low = np.uint64(0)
    for k in range(16):
        back = 15 - k
        byte = np.uint64(data[pos + size - 1 - back]) if back < size else fill
        if back >= 8:
            high = (high << np.uint64(8)) | byte
        else:
            low = (low << np.uint64(8)) | byte
    if size > 16 and (high >> np.uint64(63) != 0) != (fill != 0):
        return False
    negative = high >> np.uint64(63) != 0
    above, below = high, low
    if negative:
        below = ~low + np.uint64(1)
        above = ~high + (np.uint64(1) if below == 0 else np.uint64(0))
    # tables begins with the powers of ten up to 38, as high and low halves.
    limit_high = np.uint64(tables[2 * digits])
    limit_low = np.uint64(tables[2 * digits + 1])
    if above > limit_high or (above == limit_high and below >= limit_low):
        return False
    base = slot * 4
    mask = np.uint64(0xFFFFFFFF)
    slots[base] = np.int32(low & mask)
    slots[base + 1] = np.int32(low >> np.uint64(32))
    slots[base + 2] = np.int32(high & mask)
    slots[base + 3] = np.int32(high >> np.uint64(32))
    return True


@compiled
def distinct(slots: Any, first: int, last: int, data: Any) -> bool:
    """Return whether the views first..last differ from each other; False for more than 64."""
    if last - first > 64:
        return False
    for i in range(first, last):
        for k in range(first, i):
            if same(slots, i * 4, k * 4, data):
                return False
    return True


@compiled
def same(slots: Any, a: int, b: int, data: Any) -> bool:
    """Return whether two views hold the same bytes."""
    size = slots[a]
    if size != slots[b] or slots[a + 1] != slots[b + 1]:
        return False
    if size <= 12:
        return slots[a + 2] == slots[b + 2] and slots[a + 3] == slots[b + 3]  # type: ignore[no-any-return]
    for k in range(4, size):
        if data[slots[a + 3] + k] != data[slots[b + 3] + k]:
            return False
    return True
