"""How messages of one schema are read as an Avro record: planned once, done in columns and one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "integer",
    "boolean",
    "float",
    "double",
    "text",
    "bytes",
    "fixed",
    "decimal",
    "enum",
    "instant",
    "record",
    "wrapper",
    "list",
    "map",
]


@dataclass(frozen=True)
class Value:
    """How one type's values are read.

    Attributes:
        type: Protobuf's type, as a field descriptor numbers it; 0 of lists and maps.
        low, high: first and last integer that the column takes, in the unit that is read.
        factor: of that unit in the column's; of an instant, nanoseconds in its unit.
        limit: what lies outside, in words.
        size: bytes of a fixed.
        precision, scale: of a decimal.
        symbols: of an enum, what numbers are read as; None is no value of the reader's.
        names: of an enum, what numbers are called.
        default: of an enum, what other numbers are read as; None where they are no values.
        fields, skipped: of a record.
        item: of lists, and what a wrapper holds; of maps, a record of key and value.
        entries: a list whose items are a map's keys and values.
    """

    kind: Kind
    type: int = 0
    low: int = 0
    high: int = 0
    factor: int = 1
    limit: str = ""
    size: int = 0
    precision: int = 0
    scale: int = 0
    symbols: Mapping[int, str | None] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    default: str | None = None
    fields: tuple[Field, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    item: Value | None = None
    entries: bool = False


@dataclass(frozen=True)
class Absent:
    """What it means that a field is not there: a value, None for null; or why the record is none."""

    value: Any = None
    refused: str = ""


@dataclass(frozen=True)
class Field:
    """A field of a record.

    Attributes:
        path: its name, with those of the records that hold it.
        number: the message's; None where the message has no such field.
        oneof: which of the message's oneofs it is of; -1 for none.
        always: of a map's entry: it is there, as Protobuf's default, where the wire has nothing.
    """

    name: str
    path: str
    number: int | None
    value: Value
    absent: Absent
    oneof: int = -1
    always: bool = False


@dataclass(frozen=True)
class Skipped:
    """A field that is not read, and unsets what is: another of its oneof."""

    number: int
    type: int
    oneof: int


@dataclass(frozen=True)
class Plan:
    """How messages called `message` are read."""

    message: str
    root: Value


def held(value: Value) -> Value:
    """Return what a list, a map or a wrapper holds."""
    if value.item is None:
        raise TypeError(f"{value.kind} holds nothing")
    return value.item


class UnreadableSchemaError(ValueError):
    """No message of this schema can be read as the record; says which field, and why."""
