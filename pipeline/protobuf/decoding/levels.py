"""From plans to rows of the kernel's tables, a level at a time."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Protocol

import pyarrow as pa

from pipeline.avro.decoding.nodes import Node
from pipeline.avro.kinds import LIST, MAP, NUMBER, SLOT, STRUCT
from pipeline.protobuf.decoding import tables as t
from pipeline.protobuf.decoding.operations import operation
from pipeline.protobuf.plan import Absent, Field, Value, held
from pipeline.protobuf.resolve import zero
from pipeline.protobuf.types import LEN, WIRE


class Tables(Protocol):
    """What levels add to."""

    messages: list[list[int]]
    fields: list[list[int]]
    levels: list[list[int]]
    entries: list[list[int]]
    symbols: list[int]
    oneofs: int
    slow: str

    def constant(self, found: bytes) -> tuple[int, int]:
        """Return place and length of bytes among the constants."""


class Level:
    """Rows, or the items of a list: first their entries, so that they stand together, then messages."""

    def __init__(self, programs: Tables, entry_of: dict[str, int]) -> None:
        self.programs, self.index = programs, len(programs.levels)
        self.entry_of = entry_of
        self._oneofs: dict[tuple[int, int], int] = {}
        programs.levels.append([len(programs.entries), 0, programs.oneofs, 0])

    def allocate(
        self, node: Node, field: Field | None, parent: int, *, there: bool = False
    ) -> None:
        """Add the entries of a node and of its parts; `there`: the node is there, whatever is absent."""
        entries = self.programs.entries
        entry = len(entries)
        child = node.children[0].index if node.children else -1
        rule = (t.THERE, 0, 0) if there else self._absent(node, field)
        entries.append([node.index, node.kind, child, parent, *rule])
        if field is not None:
            self.entry_of[field.path] = entry
        if node.kind == STRUCT:
            has = field is not None and field.number is not None
            inner = {one.name: one for one in field.value.fields} if field and has else {}
            for part, below in zip(node.type, node.children, strict=True):
                self.allocate(below, inner.get(part.name), entry)

    def close(self, root: Value) -> None:
        """End the entries, and number the oneofs of `root`; messages come then."""
        levels = self.programs.levels[self.index]
        levels[t.LAST_ENTRY] = len(self.programs.entries)
        self._number_oneofs(root)
        levels[t.LAST_ONEOF] = self.programs.oneofs

    def message(self, value: Value, nodes: Mapping[str, Node]) -> int:
        """Add the message of a record; return its number."""
        rows = [self._row(one, nodes[one.name], value) for one in value.fields if one.number]
        for skipped in value.skipped:
            oneof = self._oneofs[id(value), skipped.oneof]
            rows.append([skipped.number, WIRE[skipped.type], t.SKIP, 0, -1, -1, 0, 0, 0, 0, oneof])
        return self.add_message(rows)

    def add_message(self, rows: list[list[int]]) -> int:
        """Add a message of these fields; return its number."""
        fields, messages = self.programs.fields, self.programs.messages
        first = len(fields)
        fields += sorted(rows)
        messages.append([first, len(fields)])
        return len(messages) - 1

    def _row(self, field: Field, node: Node, record: Value) -> list[int]:
        entry = self.entry_of[field.path]
        value, oneof = field.value, -1
        if field.oneof >= 0:
            oneof = self._oneofs[id(record), field.oneof]
        number = field.number or 0
        match value.kind:
            case "list" | "map":
                return self._repeated(number, node, entry, value, held(value), field.path)
            case "record":
                message = self.message(value, _parts(node))
                return [number, LEN, t.RECORD, 0, entry, node.index, message, 0, 0, 0, oneof]
            case "wrapper":
                inner = self.scalar(1, 0, entry, node, held(value), -1)
                empty = zero(held(value), "")
                plain = int(not empty.refused and not empty.value)
                message = self.add_message([inner])
                return [number, LEN, t.WRAPPER, 0, entry, node.index, message, plain, 0, 0, oneof]
        return self.scalar(number, 0, entry, node, value, oneof)

    def scalar(
        self, number: int, repeated: int, entry: int, node: Node, value: Value, oneof: int
    ) -> list[int]:
        """Return the row of a field whose values hold no others."""
        op, a, b, low, high = operation(value)
        if op == t.ENUM:
            a, b = self._enum(value)
        wire = LEN if value.kind == "instant" else WIRE[value.type]
        return [number, wire, op, repeated, entry, node.index, a, b, low, high, oneof]

    def _repeated(
        self, number: int, node: Node, entry: int, value: Value, item: Value, path: str
    ) -> list[int]:
        child = node.children[0]
        if item.kind not in ("record", "wrapper"):
            return self.scalar(number, 1, -1, child, item, -1)
        level = Level(self.programs, {})
        key = -1
        if value.kind == "map":
            for below, field in zip(node.children, item.fields, strict=True):
                level.allocate(below, field, -1, there=field.value.kind == "record")
            level.close(item)
            message = level.message(item, dict(zip(("key", "value"), node.children, strict=True)))
            key = child.index
        elif item.kind == "record":
            level.allocate(child, Field("", path, number, item, Absent()), -1, there=True)
            level.close(item)
            message = level.message(item, _parts(child))
            if value.entries:
                key = _parts(child)["key"].index
        else:
            message = self._wrapped_item(level, child, item, path)
        return [number, LEN, t.ITEM, 0, entry, node.index, message, level.index, key, 0, -1]

    def _wrapped_item(self, level: Level, child: Node, item: Value, path: str) -> int:
        level.allocate(child, Field("", path, 1, held(item), zero(held(item), path)), -1)
        level.close(item)
        return level.add_message([level.scalar(1, 0, level.entry_of[path], child, held(item), -1)])

    def _number_oneofs(self, value: Value) -> None:
        members = [one.oneof for one in value.fields] + [one.oneof for one in value.skipped]
        for oneof in sorted({one for one in members if one >= 0}):
            self._oneofs[id(value), oneof] = self.programs.oneofs
            self.programs.oneofs += 1
        for field in value.fields:
            if field.value.kind == "record":
                self._number_oneofs(field.value)

    def _enum(self, value: Value) -> tuple[int, int]:
        symbols = self.programs.symbols
        first, count = len(symbols), 0
        for number, symbol in value.symbols.items():
            if symbol is not None:
                symbols += [number, *self.programs.constant(symbol.encode())]
                count += 1
        return first, count

    def _absent(self, node: Node, field: Field | None) -> tuple[int, int, int]:
        if field is None or (field.absent.value is None and not field.absent.refused):
            return t.NULL, 0, 0
        value = field.absent.value
        if field.absent.refused:
            return t.REFUSED, 0, 0
        if field.always and node.kind == STRUCT:
            return t.THERE, 0, 0
        if node.kind in (LIST, MAP) and not value:
            return t.CONSTANT, 0, 0
        if node.kind == NUMBER:
            return t.CONSTANT, _bits(value, node.type), 0
        if node.kind == SLOT and isinstance(value, str | bytes):
            found = value.encode() if isinstance(value, str) else value
            return (t.CONSTANT, *self.programs.constant(found))
        # A decimal, or what holds others: rows that need it are read one by one.
        if field.number is None:
            self.programs.slow = f"{field.path} is not in its schema, and has such a default"
        return t.REFUSED, 0, 0


def _parts(node: Node) -> dict[str, Node]:
    return {part.name: below for part, below in zip(node.type, node.children, strict=True)}


def _bits(value: Any, type_: pa.DataType) -> int:
    if pa.types.is_floating(type_):
        made, number = ("<f", "<i") if type_ == pa.float32() else ("<d", "<q")
        return int(struct.unpack(number, struct.pack(made, value))[0])
    return int(value)
