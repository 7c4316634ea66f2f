"""Which operation reads a value, and with what."""

from __future__ import annotations

from pipeline.avro.decoding.ranges import INT
from pipeline.protobuf import types as p
from pipeline.protobuf.decoding import tables as t
from pipeline.protobuf.plan import Value

_UINT32 = (0, 2**32 - 1)
_INTEGERS = {
    p.INT64: t.SIGNED,
    p.INT32: t.SIGNED,
    p.ENUM: t.SIGNED,
    p.UINT32: t.SIGNED,
    p.UINT64: t.UNSIGNED,
    p.SINT32: t.ZIGZAG,
    p.SINT64: t.ZIGZAG,
    p.SFIXED32: t.SIGNED_32,
    p.FIXED32: t.UNSIGNED_32,
    p.SFIXED64: t.SIGNED_64,
    p.FIXED64: t.UNSIGNED_64,
}
# What is outside of them on the wire, other readers cut.
_LIMITS = {p.INT32: INT, p.ENUM: INT, p.SINT32: INT, p.UINT32: _UINT32}


def operation(value: Value) -> tuple[int, int, int, int, int]:
    """Return the operation of a value that holds no others, with its columns a, b, low and high.

    Those of an enum are to be filled in.
    """
    match value.kind:
        case "integer":
            low, high = _LIMITS.get(value.type, (value.low, value.high))
            low, high = max(low, value.low), min(high, value.high)
            return _INTEGERS[value.type], value.factor, 0, low, high
        case "boolean":
            return t.BOOL, 0, 0, 0, 0
        case "float":
            return t.FLOAT, 0, 0, 0, 0
        case "double":
            return (t.DOUBLE if value.type == p.DOUBLE else t.FLOAT_AS_DOUBLE), 0, 0, 0, 0
        case "text":
            return t.TEXT, 0, 0, 0, 0
        case "fixed":
            return t.FIXED, value.size, 0, 0, 0
        case "decimal":
            return t.DECIMAL, value.precision, 0, 0, 0
        case "instant":
            return t.INSTANT, value.factor, value.factor // 1_000, value.low, value.high
        case "enum":
            return t.ENUM, 0, 0, 0, 0
    return t.BYTES, 0, 0, 0, 0
