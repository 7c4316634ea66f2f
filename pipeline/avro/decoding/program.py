"""Compiling pairs of writer and reader schemas to decoding programs.

Resolution is the Avro specification's (1.12, "Schema Resolution"): fields by name and by the
reader's aliases, defaults, promotions, enum defaults. Whatever is outside what the kernel vouches
for becomes FAIL: a value that gets there is left to the general library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.avro.decoding import ops as op
from pipeline.avro.decoding.bounded import may_be_empty
from pipeline.avro.decoding.nodes import Forest, Node
from pipeline.avro.decoding.ranges import INT, LONG, RANGES, unit_of
from pipeline.avro.defaults import encode, fits
from pipeline.avro.kinds import LIST, MAP, STRUCT
from pipeline.avro.logical_types import TIMESTAMPS
from pipeline.avro.normal import NotAvroError
from pipeline.avro.schema import Schema, kind_of, logical_of, same_name

FLOATS = ("float", "double")
_POWERS = 39


class UnreadableError(ValueError):
    """The kernel does not vouch for values of this pair of schemas."""


def slow_reason(writer: Any, reader: Any, columns: pa.Schema) -> str | None:
    """Return why all records of `writer` are left to the general reader; None if they are not.

    Both schemas are parsed JSON; `columns` are those of the reader's fields.
    """
    programs = Programs()
    start = programs.record(writer, reader, Forest(columns).columns)
    return programs.slow.get(start)


class Programs:
    """Instructions, tables and constants, growing by one program at a time.

    Attributes:
        slow: where a program begins that reads no value at all -> why; all are left to the general reader.
    """

    def __init__(self) -> None:
        self.slow: dict[int, str] = {}
        self._ops: list[list[int]] = []
        self._tables: list[int] = []
        self._constants = bytearray()
        self._lists = 0
        for digits in range(_POWERS):
            limit = 10**digits
            self._tables += [_signed(limit >> 64), _signed(limit & (2**64 - 1))]

    @property
    def ops(self) -> npt.NDArray[np.int64]:
        """The instructions, a row each."""
        return np.array(self._ops, np.int64).reshape(-1, op.WIDTH)

    @property
    def tables(self) -> npt.NDArray[np.int64]:
        """What instructions refer to by number."""
        return np.array(self._tables, np.int64)

    @property
    def constants(self) -> npt.NDArray[np.uint8]:
        """Texts of symbols, and defaults in Avro binary."""
        return np.frombuffer(bytes(self._constants), np.uint8)

    def record(self, writer: Any, reader: Any, columns: Mapping[str, Node]) -> int:
        """Add the program that reads `writer`'s records into `columns`; return where it begins.

        Both schemas are parsed JSON. `columns` are by the names of the reader's fields.
        """
        start = len(self._ops)
        try:
            wrote, reads = Schema(writer), Schema(reader)
            self._fields(wrote.root, reads.root, columns, wrote, reads)
        except (UnreadableError, NotAvroError) as error:
            self.slow[start] = f"{error}"
            self._truncate(start)
            self._add(op.FAIL)
        self._add(op.END)
        return start

    def envelope(self, writer: Any, columns: Mapping[str, Node]) -> int:
        """Add the program that reads envelopes of schema `writer`; return where it begins."""
        start = len(self._ops)
        try:
            self._envelope(Schema(writer), columns)
        except (UnreadableError, NotAvroError) as error:
            self.slow[start] = f"{error}"
            self._truncate(start)
            self._add(op.FAIL)
        self._add(op.END)
        return start

    def _envelope(self, wrote: Schema, columns: Mapping[str, Node]) -> None:
        root = wrote.deref(wrote.root)
        if not isinstance(root, Mapping) or root.get("type") != "record":
            raise UnreadableError("the value is no record")
        wanted = {"uuid", "key", "schema_version", "timestamp", "payload"}
        for field in root["fields"]:
            name, schema = field["name"], wrote.deref(field["type"])
            wanted.discard(name)
            if name in ("uuid", "key"):
                self._field(schema, ["null", "string"], columns[name], wrote, wrote)
            elif name == "schema_version":
                if kind_of(schema) not in ("int", "long"):
                    raise UnreadableError("schema_version is no integer")
                self._add(op.VERSION, columns[name].index, 1, 0, *INT)
            elif name == "timestamp":
                logical = logical_of(schema) or "timestamp-micros"
                if kind_of(schema) != "long" or logical not in TIMESTAMPS:
                    raise UnreadableError("timestamp is no timestamp")
                unit = RANGES[logical]
                self._add(op.INTEGER, columns[name].index, unit.factor, 0, unit.low, unit.high)
            elif name == "payload":
                if kind_of(schema) != "bytes":
                    raise UnreadableError("payload is not bytes")
                self._add(op.PAYLOAD)
            else:
                self._skip(schema, wrote, 0)
        if wanted:
            raise UnreadableError(f"the envelope lacks {', '.join(sorted(wanted))}")

    def _fields(
        self, w: Any, r: Any, columns: Mapping[str, Node], wrote: Schema, reads: Schema
    ) -> None:
        w, r = wrote.deref(w), reads.deref(r)
        if kind_of(w) != "record" or kind_of(r) != "record":
            raise UnreadableError("a record on one side only")
        left = {field["name"]: field for field in r["fields"]}
        for field in w["fields"]:
            name = field["name"]
            read = left.pop(name, None)
            if read is None:
                by_alias = [f for f in left.values() if name in f.get("aliases", ())]
                read = left.pop(by_alias[0]["name"]) if by_alias else None
            if read is None:
                self._skip(field["type"], wrote, 0)
            else:
                self._field(field["type"], read["type"], columns[read["name"]], wrote, reads)
        for name, field in left.items():
            self._default(field, columns[name], reads)

    def _default(self, field: Any, node: Node, reads: Schema) -> None:
        if "default" not in field or not fits(field["default"], field["type"], reads):
            raise UnreadableError("a field is not written, and has no default")
        if field["default"] is None:
            self._null(node)
            return
        constant = encode(field["default"], field["type"], reads)
        place = len(self._constants)
        self._constants += constant
        self._add(op.CONSTANT, place, len(constant))
        self._field(field["type"], field["type"], node, reads, reads)
        self._add(op.BACK)

    def _field(self, w: Any, r: Any, node: Node, wrote: Schema, reads: Schema) -> None:
        w = wrote.deref(w)
        if not isinstance(w, list):
            self._value(w, r, node, wrote, reads)
            return
        table = len(self._tables)
        self._tables += [0] * len(w)
        self._add(op.UNION, len(w), table)
        jumps = []
        for number, branch in enumerate(w):
            self._tables[table + number] = len(self._ops)
            mark = len(self._ops)
            try:
                self._value(wrote.deref(branch), r, node, wrote, reads)
            except UnreadableError:
                self._truncate(mark)
                self._add(op.FAIL)
            jumps.append(len(self._ops))
            self._add(op.JUMP)
        for jump in jumps:
            self._ops[jump][1] = len(self._ops)

    def _value(self, w: Any, r: Any, node: Node, wrote: Schema, reads: Schema) -> None:
        r = reads.deref(r)
        if isinstance(r, list):
            if kind_of(w) == "null":
                if "null" not in r:
                    raise UnreadableError("null, which its reader does not take")
                self._null(node)
                return
            r = reads.branch(r)
            if r is None:
                raise UnreadableError("a union of several types is read")
        kind, wanted = kind_of(w), kind_of(r)
        if kind == "record" and wanted == "record" and node.kind == STRUCT:
            self._add(op.PRESENT, node.index)
            columns = {
                f["name"]: child for f, child in zip(r["fields"], node.children, strict=True)
            }
            self._fields(w, r, columns, wrote, reads)
        elif kind == wanted == "array" and node.kind == LIST:
            self._items(w["items"], r["items"], node, wrote, reads)
        elif kind == wanted == "map" and node.kind == MAP:
            self._items(w["values"], r["values"], node, wrote, reads)
        elif logical_of(r) in RANGES:
            self._instant(w, r, node)
        elif logical_of(r) == "decimal":
            self._decimal(w, r, node)
        elif kind == wanted == "enum":
            self._enum(w, r, node)
        elif kind == wanted == "fixed":
            if not same_name(w, r) or w["size"] != r["size"]:
                raise UnreadableError("fixed types of other names or sizes")
            self._add(op.FIXED, node.index, w["size"])
        else:
            self._primitive(kind, wanted, node)

    def _primitive(self, kind: str, wanted: str, node: Node) -> None:
        if kind in ("int", "long") and wanted in ("int", "long"):
            if (kind, wanted) == ("long", "int"):
                raise UnreadableError("long is not read as int")
            self._add(op.INTEGER, node.index, 1, 0, *(INT if kind == "int" else LONG))
        elif kind in ("int", "long") and wanted in FLOATS:
            limits = INT if kind == "int" else LONG
            self._add(op.INTEGER_AS_FLOAT, node.index, int(wanted == "double"), 0, *limits)
        elif kind == "float" and wanted in FLOATS:
            self._add(op.FLOAT, node.index, int(wanted == "double"))
        elif kind == wanted == "double":
            self._add(op.DOUBLE, node.index)
        elif kind == wanted == "boolean":
            self._add(op.BOOLEAN, node.index)
        elif kind == wanted and kind in ("string", "bytes"):
            self._add(op.BYTES, node.index, int(kind == "string"))
        else:
            raise UnreadableError(f"{kind} read as {wanted}")

    def _instant(self, w: Any, r: Any, node: Node) -> None:
        kind, wanted = kind_of(w), kind_of(r)
        if kind not in ("int", "long") or (kind, wanted) == ("long", "int"):
            raise UnreadableError(f"{kind} read as a time")
        unit = RANGES[unit_of(w, r)]
        low, high = INT if kind == "int" else LONG
        self._add(op.INTEGER, node.index, unit.factor, 0, max(low, unit.low), min(high, unit.high))

    def _decimal(self, w: Any, r: Any, node: Node) -> None:
        if logical_of(w) != "decimal" or w["scale"] != r["scale"]:
            raise UnreadableError("another decimal")
        if w["precision"] > r["precision"] or not pa.types.is_decimal128(node.type):
            raise UnreadableError("another decimal")
        size = -1
        if kind_of(w) == "fixed":
            size = w["size"]
            if not same_name(w, r) or r.get("size") != size:
                raise UnreadableError("another decimal")
        if kind_of(w) != kind_of(r):
            raise UnreadableError("another decimal")
        self._add(op.DECIMAL, node.index, size, r["precision"])

    def _enum(self, w: Any, r: Any, node: Node) -> None:
        if not same_name(w, r):
            raise UnreadableError("enums of other names")
        table = len(self._tables)
        for symbol in w["symbols"]:
            text = symbol if symbol in r["symbols"] else r.get("default")
            if text is None:
                self._tables += [-1, 0]
            else:
                self._tables += [len(self._constants), len(text.encode())]
                self._constants += text.encode()
        self._add(op.ENUM, node.index, table, len(w["symbols"]))

    def _items(self, w: Any, r: Any, node: Node, wrote: Schema, reads: Schema) -> None:
        if node.kind == LIST and may_be_empty(w, wrote, 0):
            raise UnreadableError("lists of items that may take no bytes")
        with self._list():
            begin = len(self._ops)
            self._add(op.ITEMS, node.index, 0, node.children[0].index, int(node.kind == MAP))
            if node.kind == MAP:
                self._add(op.BYTES, node.children[0].index, 1)
            self._field(w, r, node.children[-1], wrote, reads)
            self._add(op.REPEAT, begin)
            self._ops[begin][2] = len(self._ops)

    @contextmanager
    def _list(self) -> Iterator[None]:
        """Go one list deeper; the kernel has room for `op.MAX_DEPTH`, read and skipped together."""
        if self._lists == op.MAX_DEPTH:
            raise UnreadableError(f"more than {op.MAX_DEPTH} lists within each other")
        self._lists += 1
        try:
            yield
        finally:
            self._lists -= 1

    def _null(self, node: Node) -> None:
        first = node.children[0].index if node.kind in (LIST, MAP) else 0
        self._add(op.NULL, node.index, node.kind, first)
        if node.kind == STRUCT:
            for child in node.children:
                self._null(child)

    def _skip(self, schema: Any, wrote: Schema, depth: int) -> None:
        schema = wrote.deref(schema)
        if depth > op.MAX_DEPTH:
            raise UnreadableError(f"more than {op.MAX_DEPTH} types within each other are left out")
        if isinstance(schema, list):
            table = len(self._tables)
            self._tables += [0] * len(schema)
            self._add(op.UNION, len(schema), table)
            jumps = []
            for number, branch in enumerate(schema):
                self._tables[table + number] = len(self._ops)
                self._skip(branch, wrote, depth + 1)
                jumps.append(len(self._ops))
                self._add(op.JUMP)
            for jump in jumps:
                self._ops[jump][1] = len(self._ops)
            return
        kind = kind_of(schema)
        if kind == "record":
            for field in schema["fields"]:
                self._skip(field["type"], wrote, depth + 1)
        elif kind in ("array", "map"):
            inner = schema["items" if kind == "array" else "values"]
            if kind == "array" and may_be_empty(inner, wrote, 0):
                raise UnreadableError("lists of items that may take no bytes")
            with self._list():
                begin = len(self._ops)
                self._add(op.ITEMS, -1)
                if kind == "map":
                    self._add(op.SKIP_BYTES)
                self._skip(inner, wrote, depth + 1)
                self._add(op.REPEAT, begin)
                self._ops[begin][2] = len(self._ops)
        elif kind in ("int", "long", "enum"):
            self._add(op.SKIP_LONG)
        elif kind in ("bytes", "string"):
            self._add(op.SKIP_BYTES)
        elif kind != "null":
            sizes = {"boolean": 1, "float": 4, "double": 8}
            size = schema["size"] if kind == "fixed" else sizes[kind]
            self._add(op.SKIP_FIXED, 0, size)

    def _add(self, *instruction: int) -> None:
        self._ops.append([*instruction, *[0] * (op.WIDTH - len(instruction))])

    def _truncate(self, length: int) -> None:
        del self._ops[length:]


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number
