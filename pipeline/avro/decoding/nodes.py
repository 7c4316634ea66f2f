"""The tree of columns that a decoding fills, and the memory it is filled into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.avro.kinds import (
    CAPACITY,
    CURSOR,
    KIND,
    LIST,
    MAP,
    NUMBER,
    PLACE,
    SLOT,
    STRUCT,
    VALID,
)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Node:
    """One column, or part of a nested one. `index` is its place in the table of nodes."""

    index: int
    kind: int
    type: pa.DataType
    children: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Forest:
    """The columns of a table, by name."""

    def __init__(self, schema: pa.Schema) -> None:
        self._made = 0
        self.schema = schema
        self.columns = {field.name: self._node(field.type) for field in schema}

    @property
    def nodes(self) -> Iterator[Node]:
        """Yield every node, in the order of its index."""
        return iter(
            sorted((n for c in self.columns.values() for n in c.walk()), key=lambda n: n.index)
        )

    @property
    def nested(self) -> list[int]:
        """The indexes of the nodes within lists and maps: those that a row may have many values of."""
        return [
            below.index
            for column in self.columns.values()
            for node in column.walk()
            if node.kind in (LIST, MAP)
            for child in node.children
            for below in child.walk()
        ]

    def _node(self, type_: pa.DataType) -> Node:
        index = self._made
        self._made += 1
        if pa.types.is_struct(type_):
            return Node(index, STRUCT, type_, tuple(self._node(f.type) for f in type_))
        if pa.types.is_map(type_):
            return Node(
                index, MAP, type_, (self._node(type_.key_type), self._node(type_.item_type))
            )
        if pa.types.is_list(type_):
            return Node(index, LIST, type_, (self._node(type_.value_type),))
        in_slots = (
            pa.types.is_string(type_)
            or pa.types.is_binary(type_)
            or pa.types.is_fixed_size_binary(type_)
            or pa.types.is_decimal(type_)
        )
        return Node(index, SLOT if in_slots else NUMBER, type_)


class Memory:
    """What one decoding writes into: room for `capacities[node]` values of each node."""

    def __init__(self, forest: Forest, capacities: Ints) -> None:
        nodes = list(forest.nodes)
        self.nodes: Ints = np.zeros((len(nodes), 5), np.int64)
        numbers = slots = valid = 0
        for node, capacity in zip(nodes, capacities.tolist(), strict=True):
            row = self.nodes[node.index]
            row[KIND], row[VALID], row[CAPACITY] = node.kind, valid, capacity
            valid += capacity
            if node.kind == SLOT:
                row[PLACE] = slots
                slots += capacity
            elif node.kind != STRUCT:
                row[PLACE] = numbers
                numbers += capacity
        self.numbers: Ints = np.empty(numbers, np.int64)
        self.slots: npt.NDArray[np.int32] = np.empty(slots * 4, np.int32)
        self.valid: npt.NDArray[np.uint8] = np.empty(valid, np.uint8)

    def arrays(self, forest: Forest, source: pa.Buffer) -> dict[str, pa.Array]:
        """Return the columns by name. They share this memory and `source`, which views point into."""
        return {name: self._array(node, source) for name, node in forest.columns.items()}

    def _array(self, node: Node, source: pa.Buffer) -> pa.Array:
        length = int(self.nodes[node.index, CURSOR])
        place = int(self.nodes[node.index, PLACE])
        nulls, bits = self._validity(node, length)
        type_ = node.type
        if node.kind == STRUCT:
            children = [self._array(child, source) for child in node.children]
            return pa.StructArray.from_arrays(
                children,
                fields=[field.with_type(c.type) for field, c in zip(type_, children, strict=True)],
                mask=None if bits is None else pa.array(self._flags(node, length) == 0),
            )
        if node.kind in (LIST, MAP):
            ends = np.zeros(length + 1, np.int32)
            ends[1:] = self.numbers[place : place + length]
            children = [self._array(child, source) for child in node.children]
            if node.kind == MAP:
                inner = pa.StructArray.from_arrays(
                    children,
                    fields=[
                        pa.field("key", children[0].type, nullable=False),
                        pa.field("value", children[1].type),
                    ],
                )
                made = pa.map_(children[0].type, children[1].type)
            else:
                inner = children[0]
                made = pa.list_(inner.type)
            return pa.Array.from_buffers(
                made, length, [bits, pa.py_buffer(ends)], nulls, children=[inner]
            )
        if node.kind == SLOT:
            slots = self.slots[place * 4 : (place + length) * 4]
            if pa.types.is_decimal(type_):
                return pa.Array.from_buffers(type_, length, [bits, pa.py_buffer(slots)], nulls)
            view = pa.string_view() if pa.types.is_string(type_) else pa.binary_view()
            return pa.Array.from_buffers(view, length, [bits, pa.py_buffer(slots), source], nulls)
        values = self.numbers[place : place + length]
        if pa.types.is_boolean(type_):
            packed = pa.py_buffer(np.packbits(values.astype(np.uint8), bitorder="little"))
        else:
            packed = pa.py_buffer(values.astype(np.int32) if type_.bit_width == 32 else values)
        return pa.Array.from_buffers(type_, length, [bits, packed], nulls)

    def _flags(self, node: Node, length: int) -> npt.NDArray[np.uint8]:
        start = int(self.nodes[node.index, VALID])
        return self.valid[start : start + length]

    def _validity(self, node: Node, length: int) -> tuple[int, pa.Buffer | None]:
        flags = self._flags(node, length)
        nulls = length - int(np.count_nonzero(flags))
        if nulls == 0:
            return 0, None
        return nulls, pa.py_buffer(np.packbits(flags, bitorder="little"))
