"""Columns of the tables that say how messages are read. Numbers: the kernel takes them as constants."""

from __future__ import annotations

NUMBER, WIRE, OP, REPEATED, ENTRY, NODE, A, B, LOW, HIGH, ONEOF = range(11)
FIELD_WIDTH = 11
"""Of a field: its number, its type on the wire, one of the operations below, whether it is repeated, the
entry that it fills (-1 for none), the node, and what the operation says. `ONEOF` is -1 for none."""

E_NODE, E_KIND, E_CHILD, E_PARENT, E_ABSENT, E_VALUE, E_SIZE = range(7)
ENTRY_WIDTH = 7
"""Of an entry, which is one value a row or item: its node and kind, a list's first child, the entry of the
struct that it is part of (-1 for none), and what it is when it is absent: one of these, with a number or a
constant's place."""
NULL, CONSTANT, REFUSED, THERE = 0, 1, 2, 3
"""`THERE`: a struct that is there even so."""

FIRST_ENTRY, LAST_ENTRY, FIRST_ONEOF, LAST_ONEOF = range(4)
LEVEL_WIDTH = 4
"""Of a level, which is rows or the items of a list: its entries, structs before their parts; its oneofs."""

(
    SIGNED,
    UNSIGNED,
    ZIGZAG,
    SIGNED_32,
    UNSIGNED_32,
    SIGNED_64,
    UNSIGNED_64,
    BOOL,
    ENUM,
    FLOAT,
    DOUBLE,
    FLOAT_AS_DOUBLE,
    TEXT,
    BYTES,
    FIXED,
    DECIMAL,
    INSTANT,
    RECORD,
    WRAPPER,
    ITEM,
    SKIP,
) = range(21)
"""Operations. Integers are within low..high, times a. ENUM: b of three numbers each in `symbols` from a on: a
symbol's number, place and length. DECIMAL: a digits. INSTANT: a nanoseconds in a unit, times b. RECORD,
WRAPPER, ITEM: message a. WRAPPER: b is 1 where zeros are its default. ITEM: level b; low is the node of a key
that no two may share, -1 for none."""

MAX_DEPTH = 32
"""Messages within messages."""
