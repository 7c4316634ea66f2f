"""The Avro schema that values of JSON have. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.tables.layout import EVENT_HOUR

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_OF_TIME = re.compile(
    r"(^|_)(at|ts|time|timestamp|date|when|created|updated)($|_)|(At|Time|Timestamp)$"
)
_MILLIS, _MICROS = range(10**11, 10**13), range(10**14, 10**16)
"""Counts of their unit since 1970 that are years from 1973 to 2286."""
INSTANT = {"type": "long", "logicalType": "timestamp-micros"}
INSTANT_MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
DAY = {"type": "int", "logicalType": "date"}


@dataclass
class Inferred:
    """A record's schema, and what of the values it does not take.

    Attributes:
        left_out: path of each field that has no type -> why.
        guesses: path of each field whose type may be another -> which, and why.
        names: of the records in it.
    """

    schema: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


def infer(rows: Sequence[Mapping[str, Any]], name: str) -> Inferred:
    """Return the schema of a record called `name` that holds all of `rows`, which are plain JSON values."""
    found = Inferred(names={name})
    found.schema = _record(rows, name, "", found) or {"type": "record", "name": name, "fields": []}
    return found


def _record(
    rows: Sequence[Mapping[str, Any]], name: str, path: str, found: Inferred
) -> dict[str, Any] | None:
    fields: list[dict[str, Any]] = []
    taken: set[str] = set()
    for key in dict.fromkeys(key for row in rows for key in row):
        inner = f"{path}{key}"
        if not NAME.fullmatch(key):
            found.left_out[inner] = "Avro has no such name"
            continue
        if key.lower() in taken:
            found.left_out[inner] = "another field differs in case alone"
            continue
        if not path and key.lower() == EVENT_HOUR:
            found.left_out[inner] = "events are partitioned by a column of this name"
            continue
        values = [row.get(key) for row in rows]
        type_ = _type(values, key, inner, found)
        if type_ is None:
            continue
        taken.add(key.lower())
        is_null = any(value is None for value in values)
        fields.append(
            {"name": key, "type": ["null", type_], "default": None}
            if is_null
            else {"name": key, "type": type_}
        )
    return {"type": "record", "name": name, "fields": fields} if fields else None


def _type(values: Iterable[Any], key: str, path: str, found: Inferred) -> Any:
    there = [value for value in values if value is not None]
    kinds = {_kind(value) for value in there}
    if not kinds:
        found.guesses[path] = "it is null in all that was seen"
        return "string"
    if kinds == {"number", "integer"}:
        kinds = {"number"}
    if len(kinds) > 1:
        if kinds & {"object", "array"}:
            found.left_out[path] = f"it is now {' and now '.join(sorted(kinds))}"
            return None
        found.guesses[path] = f"it is now {' and now '.join(sorted(kinds))}"
        return "string"
    (kind,) = kinds
    match kind:
        case "boolean":
            return "boolean"
        case "integer":
            return _integer(there, key, path, found)
        case "number":
            return "double"
        case "object":
            made = _record(there, _type_name(path, found), f"{path}.", found)
            if made is None:
                found.left_out[path] = "it has no fields in all that was seen"
            return made
        case "array":
            items = [item for value in there for item in value]
            of = _type(items, key, f"{path}[]", found)
            if of is None:
                found.left_out[path] = found.left_out.pop(f"{path}[]", "its items have no type")
                return None
            return {"type": "array", "items": ["null", of] if None in items else of}
    return _text(there)


def _integer(values: Sequence[int], key: str, path: str, found: Inferred) -> Any:
    if _OF_TIME.search(key):
        for range_, type_, unit in (
            (_MILLIS, INSTANT_MILLIS, "milli"),
            (_MICROS, INSTANT, "micro"),
        ):
            if all(value in range_ for value in values):
                found.guesses[path] = f"numbers that are {unit}seconds since 1970"
                return type_
    return "long"


def _text(values: Sequence[str]) -> Any:
    if all(_INSTANT.fullmatch(value) for value in values):
        return INSTANT
    return DAY if all(_DAY.fullmatch(value) for value in values) else "string"


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case Mapping():
            return "object"
        case list():
            return "array"
    return "text"


def _type_name(path: str, found: Inferred) -> str:
    """Return a name for the record at `path` that no other has."""
    parts = re.split(r"[^A-Za-z0-9]+", path)
    plain = "".join(part[:1].upper() + part[1:] for part in parts if part)
    name, number = plain, 1
    while name in found.names:
        number += 1
        name = f"{plain}{number}"
    found.names.add(name)
    return name
