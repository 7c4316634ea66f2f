"""The .proto texts of a payload's Avro versions: what is registered where a contract gives none. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.avro.normal import simple_name
from pipeline.avro.schema import Schema, kind_of, logical_of

_TIMESTAMP = "google.protobuf.Timestamp"
_TYPES = {
    "boolean": "bool",
    "int": "int32",
    "long": "int64",
    "float": "float",
    "double": "double",
    "string": "string",
    "bytes": "bytes",
    "fixed": "bytes",
}
_FAMILIES = {"int32": "integer", "int64": "integer"}
"""Types of one family keep a field's number: the wider one reads what was written as the other."""


class NoProtobufError(ValueError):
    """A type has no counterpart in Protobuf; says where."""


@dataclass
class _Known:
    """What earlier versions have fixed.

    Attributes:
        numbers: of a message's fields, by their names and families of types.
        messages: lines of each, as they were last.
        symbols: of enums, in the order of their numbers.
        holders: of enums whose symbols others have: the message around each.
        taken: names at the top.
    """

    numbers: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)
    messages: dict[str, list[str]] = field(default_factory=dict)
    symbols: dict[str, list[str]] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)


def proto_texts(versions: Sequence[Any]) -> list[str]:
    """Return a .proto text for each version of a record, oldest first; its first message is the record.

    A field's number never stands for another field, nor for a type that reads the older one's bytes as
    something else. Where a list or map may be null, an empty one is.

    Raises:
        NoProtobufError: lists or maps within each other, or nulls in them.
    """
    known = _Known()
    return [_Version(Schema(one), known).text() for one in versions]


class _Version:
    def __init__(self, schema: Schema, known: _Known) -> None:
        self._schema, self._known = schema, known
        self._made: set[str] = set()

    def text(self) -> str:
        root = self._schema.root
        first = self._message(root, "")
        messages = self._known.messages
        names = [first, *(name for name in messages if name != first)]
        package = root["name"].rpartition(".")[0]
        lines = ['syntax = "proto3";', *([f"package {package};"] if package else [])]
        if any(_TIMESTAMP in line for name in names for line in messages[name]):
            lines.append('import "google/protobuf/timestamp.proto";')
        for name in names:
            lines += ["", *messages[name]]
        for name in self._known.symbols:
            lines += ["", *self._enum(name)]
        return "\n".join(lines) + "\n"

    def _message(self, record: Any, path: str) -> str:
        name = simple_name(record["name"])
        if name in self._made:
            return name
        self._made.add(name)
        self._known.taken.add(name)
        numbers = self._known.numbers.setdefault(name, {})
        prefix = f"{path}." if path else ""
        lines, used = [f"message {name} {{"], set()
        for one in record["fields"]:
            label, type_ = self._field(one["type"], f"{prefix}{one['name']}")
            key = one["name"], f"{label.strip() == 'repeated'} {_FAMILIES.get(type_, type_)}"
            number = numbers.setdefault(key, _next(numbers))
            used.add(number)
            lines.append(f"  {label}{type_} {one['name']} = {number};")
        gone = sorted(set(numbers.values()) - used)
        if gone:
            lines.append(f"  reserved {', '.join(map(str, gone))};")
        self._known.messages[name] = [*lines, "}"]
        return name

    def _field(self, type_: Any, path: str) -> tuple[str, str]:
        found = self._schema.branch(type_)
        match kind_of(found):
            case "array":
                return "repeated ", self._item(found["items"], path)
            case "map":
                return "", f"map<string, {self._item(found['values'], path)}>"
        scalar = self._scalar(found, path)
        nullable = isinstance(self._schema.deref(type_), list)
        return ("optional " if nullable and kind_of(found) != "record" else ""), scalar

    def _item(self, type_: Any, path: str) -> str:
        if isinstance(self._schema.deref(type_), list):
            raise NoProtobufError(f"{path}: Protobuf has no nulls in lists and maps")
        found = self._schema.branch(type_)
        if kind_of(found) in ("array", "map"):
            raise NoProtobufError(f"{path}: Protobuf has no lists and maps within each other")
        return self._scalar(found, path)

    def _scalar(self, found: Any, path: str) -> str:
        kind, logical = kind_of(found), logical_of(found) or ""
        if logical in ("timestamp-millis", "timestamp-micros"):
            return _TIMESTAMP
        if kind == "record":
            return self._message(found, path)
        if kind == "enum":
            return self._enum_type(found)
        if kind not in _TYPES:
            raise NoProtobufError(f"{path}: Protobuf has nothing for type {kind}")
        return _TYPES[kind]

    def _enum_type(self, found: Any) -> str:
        name, known = simple_name(found["name"]), self._known
        if name not in known.symbols:
            known.symbols[name] = []
            # Symbols stand beside their enum: two of one name are none.
            if known.taken & {name, *found["symbols"]}:
                known.holders[name] = f"Of{name}"
            else:
                known.taken |= {name, *found["symbols"]}
        symbols = known.symbols[name]
        symbols += [one for one in found["symbols"] if one not in symbols]
        return f"{known.holders[name]}.{name}" if name in known.holders else name

    def _enum(self, name: str) -> Iterator[str]:
        holder = self._known.holders.get(name)
        pad = "  " if holder else ""
        if holder:
            yield f"message {holder} {{"
        yield f"{pad}enum {name} {{"
        for number, symbol in enumerate(self._known.symbols[name]):
            yield f"{pad}  {symbol} = {number};"
        yield f"{pad}}}"
        if holder:
            yield "}"


def _next(numbers: dict[tuple[str, str], int]) -> int:
    found = max(numbers.values(), default=0) + 1
    # Protobuf keeps these for itself.
    return 20_000 if 19_000 <= found < 20_000 else found
