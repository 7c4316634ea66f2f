"""Protobuf's types, as field descriptors number them."""

from __future__ import annotations

from collections.abc import Mapping

DOUBLE, FLOAT, INT64, UINT64, INT32, FIXED64, FIXED32, BOOL, STRING = range(1, 10)
GROUP, MESSAGE, BYTES, UINT32, ENUM, SFIXED32, SFIXED64, SINT32, SINT64 = range(10, 19)

NAMES: Mapping[int, str] = {
    DOUBLE: "double",
    FLOAT: "float",
    INT64: "int64",
    UINT64: "uint64",
    INT32: "int32",
    FIXED64: "fixed64",
    FIXED32: "fixed32",
    BOOL: "bool",
    STRING: "string",
    GROUP: "group",
    MESSAGE: "message",
    BYTES: "bytes",
    UINT32: "uint32",
    ENUM: "enum",
    SFIXED32: "sfixed32",
    SFIXED64: "sfixed64",
    SINT32: "sint32",
    SINT64: "sint64",
}
"""Type -> what a .proto file calls it."""

INTEGERS = (
    INT64,
    UINT64,
    INT32,
    FIXED64,
    FIXED32,
    UINT32,
    SFIXED32,
    SFIXED64,
    SINT32,
    SINT64,
)

VARINT, I64, LEN, I32 = 0, 1, 2, 5
"""Types on the wire."""

WIRE: Mapping[int, int] = {
    **dict.fromkeys((INT64, UINT64, INT32, BOOL, UINT32, ENUM, SINT32, SINT64), VARINT),
    **dict.fromkeys((DOUBLE, FIXED64, SFIXED64), I64),
    **dict.fromkeys((STRING, MESSAGE, BYTES), LEN),
    **dict.fromkeys((FLOAT, FIXED32, SFIXED32), I32),
}
"""Type -> its type on the wire."""

WRAPPERS = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
"""Messages that hold one value, so that it may be absent."""
