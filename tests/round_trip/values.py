"""Drawing values that a schema allows, the odd ones often."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.round_trip.avro import RANGES, Type

_TEXTS = (
    "",
    "\0",
    "a\0b",
    "NULL",
    "\ufeff",
    "\U0010ffff" * 20,
    "a" * 15 + "\U0010ffff\U0010ffff",
    "\ud7ff" * 16 + "\ue000",
    "e\u0301",
    "\x7f" * 17,
    "'\"`\\\n\r\t",
    "😀" * 9,
)
_BYTES = (b"", b"\0", b"\xff" * 17, b"\xff" * 16, b"\xfe" + b"\xff" * 20, b"\x80\0\0")
_FLOATS = (0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001, 0x7FC12345, 1, 0x7F7FFFFF)
_DOUBLES = (
    0,
    1 << 63,
    0x7FF0 << 48,
    0xFFF0 << 48,
    0x7FF8 << 48,
    (0xFFF8 << 48) + 1,
    (0x7FF8 << 48) + 0x12345,
    1,
    0x7FEF_FFFF_FFFF_FFFF,
)


@cache
def texts() -> st.SearchStrategy[str]:
    """Draw text of all of Unicode."""
    return st.one_of(st.sampled_from(_TEXTS), st.text(max_size=20))


@cache
def _simple(kind: str) -> st.SearchStrategy[Any]:
    if kind in ("int", "long"):
        most = 2 ** (31 if kind == "int" else 63)
        odd = st.sampled_from([-most, most - 1, 0, -1, 2**31 - most, most // 2])
        return odd | st.integers(-most, most - 1)
    if kind == "float":
        bits = st.sampled_from(_FLOATS).map(lambda n: struct.pack("<I", n))
        return bits | st.floats(width=32).map(lambda x: struct.pack("<f", x))
    if kind == "double":
        bits = st.sampled_from(_DOUBLES).map(lambda n: struct.pack("<Q", n))
        return bits | st.floats().map(lambda x: struct.pack("<d", x))
    if kind == "string":
        return texts()
    if kind == "bytes":
        return st.sampled_from(_BYTES) | st.binary(max_size=20)
    return st.none() if kind == "null" else st.booleans()


def values(type_: Type, *, wild: bool = False) -> st.SearchStrategy[Any]:
    """Draw a value that `tests.round_trip.avro.encode` writes.

    `wild` values are sound Avro too, but numbers may be times and decimals that no column holds.
    """
    kind, logical = type_.kind, type_.logical
    if kind == "union":
        return st.one_of(
            *(
                st.tuples(st.just(branch), values(part, wild=wild))
                for branch, (_, part) in enumerate(type_.parts)
            )
        )
    if logical in RANGES:
        low, high = RANGES[logical]
        odd = [low, high, 0, -1, low + 1, high - 1]
        most = 2**31 if kind == "int" else 2**63
        if wild:
            odd += [low - 1, high + 1, -most, most - 1]
        return st.sampled_from(odd) | st.integers(low, high)
    if logical == "decimal":
        return _decimals(type_, wild=wild)
    if logical == "uuid":
        return st.uuids().map(str)
    if kind == "record":
        return st.fixed_dictionaries({name: values(p, wild=wild) for name, p in type_.parts})
    if kind == "array":
        return st.lists(values(type_.parts[0][1], wild=wild), max_size=4)
    if kind == "map":
        inner = values(type_.parts[0][1], wild=wild)
        return st.lists(st.tuples(texts(), inner), max_size=4, unique_by=lambda pair: pair[0])
    if kind == "enum":
        return st.sampled_from(type_.more["symbols"])
    if kind == "fixed":
        size = type_.more["size"]
        return st.sampled_from([b"\0" * size, b"\xff" * size]) | st.binary(
            min_size=size, max_size=size
        )
    return _simple(kind)


def _decimals(type_: Type, *, wild: bool) -> st.SearchStrategy[bytes]:
    most = 10 ** type_.more["precision"] - 1
    numbers = st.sampled_from([most, -most, 0, 1, -1]) | st.integers(-most, most)
    size = type_.more["size"] if type_.kind == "fixed" else None
    if wild:
        beyond = [most + 1, -most - 1]
        numbers |= st.sampled_from(beyond)
    if size is not None:
        room = 2 ** (8 * size - 1)
        numbers = numbers.filter(lambda n: -room <= n < room)
        return numbers.map(lambda n: n.to_bytes(size, "big", signed=True))
    # Shortest, and with bytes more than are needed.
    return st.builds(
        lambda n, more: n.to_bytes(n.bit_length() // 8 + 1 + more, "big", signed=True),
        numbers,
        st.sampled_from([0, 0, 1, 9]),
    )
