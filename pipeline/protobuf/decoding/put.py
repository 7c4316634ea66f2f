"""Writing one value of the wire, and what an absent one is. Compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.avro.decoding.utf8 import is_utf8
from pipeline.avro.decoding.values import put_decimal, put_null, put_view
from pipeline.avro.kinds import CAPACITY, CURSOR, LIST, MAP, NUMBER, PLACE, SLOT, VALID
from pipeline.native import compiled
from pipeline.protobuf.decoding import tables as t
from pipeline.protobuf.decoding.wire import read_bits, read_size, read_varint

OP, A, B, LOW, HIGH = t.OP, t.A, t.B, t.LOW, t.HIGH
SIGNED, UNSIGNED, ZIGZAG, BOOL, ENUM = t.SIGNED, t.UNSIGNED, t.ZIGZAG, t.BOOL, t.ENUM
SIGNED_32, UNSIGNED_32, SIGNED_64, UNSIGNED_64 = (
    t.SIGNED_32,
    t.UNSIGNED_32,
    t.SIGNED_64,
    t.UNSIGNED_64,
)
FLOAT, DOUBLE, FLOAT_AS_DOUBLE = t.FLOAT, t.DOUBLE, t.FLOAT_AS_DOUBLE
TEXT, BYTES, FIXED, DECIMAL, INSTANT = t.TEXT, t.BYTES, t.FIXED, t.DECIMAL, t.INSTANT
E_NODE, E_KIND, E_CHILD, E_PARENT = t.E_NODE, t.E_KIND, t.E_CHILD, t.E_PARENT
E_ABSENT, E_VALUE, E_SIZE = t.E_ABSENT, t.E_VALUE, t.E_SIZE
NULL, REFUSED = t.NULL, t.REFUSED
FIRST_ENTRY, LAST_ENTRY = t.FIRST_ENTRY, t.LAST_ENTRY
SECOND = 1_000_000_000


@compiled
def put_value(
    data: Any, shift: int, pos: int, end: int, fields: Any, row: int, symbols: Any, powers: Any,
    place: int, numbers: Any, slots: Any, doubles: Any, singles: Any,
) -> int:  # fmt: skip
    """Write the value at `pos` by a field's row; return where it ends, -1 if it is not vouched for."""
    op = fields[row, OP]
    if op <= ZIGZAG:
        value, pos = read_varint(data, pos, end)
        if op == ZIGZAG:
            value = np.int64(np.uint64(value) >> np.uint64(1)) ^ -(value & 1)
        elif op == UNSIGNED and value < 0:
            return -1
        if pos < 0 or value < fields[row, LOW] or value > fields[row, HIGH]:
            return -1
        numbers[place] = value * fields[row, A]
        return pos
    if op <= UNSIGNED_64:
        size = 4 if op <= UNSIGNED_32 else 8
        if size > end - pos:
            return -1
        value = read_bits(data, pos, size)
        if op == SIGNED_32:
            value = np.int64(np.int32(value))
        elif op == UNSIGNED_64 and value < 0:
            return -1
        if value < fields[row, LOW] or value > fields[row, HIGH]:
            return -1
        numbers[place] = value * fields[row, A]
        return pos + size
    if op == BOOL:
        value, pos = read_varint(data, pos, end)
        if pos < 0 or value < 0 or value > 1:
            return -1
        numbers[place] = value
        return pos
    if op == ENUM:
        value, pos = read_varint(data, pos, end)
        if pos < 0:
            return -1
        for k in range(fields[row, B]):
            at = fields[row, A] + 3 * k
            if symbols[at] == value:
                put_view(slots, place, data, symbols[at + 1] + shift, symbols[at + 2])
                return pos
        return -1
    if op == DOUBLE:
        if end - pos < 8:
            return -1
        numbers[place] = read_bits(data, pos, 8)
        return pos + 8
    if op == FLOAT or op == FLOAT_AS_DOUBLE:
        if end - pos < 4:
            return -1
        bits = read_bits(data, pos, 4)
        if op == FLOAT:
            numbers[place] = bits
        else:
            singles.view(np.int32)[0] = np.int32(bits)
            doubles[0] = singles[0]
            numbers[place] = doubles.view(np.int64)[0]
        return pos + 4
    if op == INSTANT:
        return put_instant(
            data,
            pos,
            end,
            fields[row, A],
            fields[row, B],
            fields[row, LOW],
            fields[row, HIGH],
            place,
            numbers,
        )
    size, pos = read_size(data, pos, end)
    if pos < 0:
        return -1
    if op == TEXT and not is_utf8(data, pos, pos + size):
        return -1
    if op == FIXED and size != fields[row, A]:
        return -1
    if op == DECIMAL:
        if size < 1 or not put_decimal(slots, place, data, pos, size, powers, fields[row, A]):
            return -1
    else:
        put_view(slots, place, data, pos, size)
    return pos + size  # type: ignore[no-any-return]


@compiled
def put_instant(
    data: Any,
    pos: int,
    end: int,
    unit: int,
    factor: int,
    low: int,
    high: int,
    place: int,
    numbers: Any,
) -> int:
    """Write a google.protobuf.Timestamp; return where it ends, -1 if it is not vouched for."""
    size, pos = read_size(data, pos, end)
    if pos < 0:
        return -1
    end = pos + size
    seconds = nanos = np.int64(0)
    while pos < end:
        tag = data[pos]
        if tag != 0x08 and tag != 0x10:
            return -1
        value, pos = read_varint(data, pos + 1, end)
        if pos < 0:
            return -1
        if tag == 0x08:
            seconds = value
        else:
            nanos = value
    # Within years 1 to 9999, so that no product is too large.
    if seconds < -62_135_596_800 or seconds > 253_402_300_799:
        return -1
    if nanos < 0 or nanos >= SECOND or nanos % unit != 0:
        return -1
    value = seconds * (SECOND // unit) + nanos // unit
    if value < low or value > high:
        return -1
    numbers[place] = value * factor
    return pos


@compiled
def finish_level(
    levels: Any, level: int, entries: Any, seen: Any, data: Any, shift: int,
    nodes: Any, numbers: Any, slots: Any, valid: Any,
) -> int:  # fmt: skip
    """End a row or an item: write what is absent, and go on to the next.

    Return 0; -1 if it is not vouched for; or -2 - node where there is no room.
    """
    for e in range(levels[level, FIRST_ENTRY], levels[level, LAST_ENTRY]):
        node, kind, child = entries[e, E_NODE], entries[e, E_KIND], entries[e, E_CHILD]
        at = nodes[node, CURSOR]
        if at >= nodes[node, CAPACITY]:
            return -2 - node  # type: ignore[no-any-return]
        place = nodes[node, PLACE] + at
        parent, absent = entries[e, E_PARENT], entries[e, E_ABSENT]
        # 2 stands for what is under a null.
        if parent >= 0 and seen[parent] != 1:
            seen[e] = 2
        elif seen[e] == 0:
            if absent == REFUSED:
                return -1
            if absent == NULL:
                seen[e] = 2
            else:
                if kind == NUMBER:
                    numbers[place] = entries[e, E_VALUE]
                elif kind == SLOT:
                    put_view(slots, place, data, entries[e, E_VALUE] + shift, entries[e, E_SIZE])
                seen[e] = 1
        if seen[e] == 2:
            put_null(nodes, node, at, kind, child, numbers, slots)
            valid[nodes[node, VALID] + at] = 0
        else:
            if kind == LIST or kind == MAP:
                numbers[place] = nodes[child, CURSOR]
            valid[nodes[node, VALID] + at] = 1
        nodes[node, CURSOR] = at + 1
    return 0
