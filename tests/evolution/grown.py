"""Three versions of a contract that grows, and records of each in every format."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.schemas import wire
from tests.decoder.reference import encoded
from tests.support.single_objects import single_object_of
from tests.unit.protobuf.wire import block, framed, integer, timestamp

Schema = dict[str, Any]
Encode = Callable[[int, Schema, Mapping[str, Any]], bytes]


def row(*fields: Mapping[str, Any], states: tuple[str, ...] = ("on", "off")) -> list[Any]:
    state = {"type": "enum", "name": "State", "symbols": [*states]}
    at = {"type": "long", "logicalType": "timestamp-micros"}
    own = [{"name": "id", "type": "string"}, {"name": "at", "type": at}]
    return [*own, {"name": "state", "type": state}, *fields]


def part(*fields: Mapping[str, Any]) -> Schema:
    held = {"type": "record", "name": "Part", "fields": [{"name": "q", "type": "long"}, *fields]}
    return {"name": "part", "type": held}


def optional(name: str, type_: Any) -> Schema:
    return {"name": name, "type": ["null", type_], "default": None}


STATES = ("on", "off", "paused")
TAGS = {"type": "array", "items": "string"}
VERSIONS = (
    row({"name": "n", "type": "int"}, part()),
    row({"name": "n", "type": "long"}, part(optional("w", "string")), states=STATES),
    row({"name": "n", "type": "long"}, optional("tags", TAGS), states=STATES),
)
"""A number that widens, a record and an enum that grow; a field that comes, and one that goes."""
VALUES: tuple[dict[str, Any], ...] = (
    {"state": "on", "n": 7, "part": {"q": 1}},
    {"state": "paused", "n": 2**40, "part": {"q": 2, "w": "ö"}},
    {"state": "off", "n": -(2**62), "tags": ["a", "b"]},
)


def record(fields: list[Any]) -> Schema:
    return {"type": "record", "name": "P", "fields": fields}


def change(fields: list[Any]) -> Schema:
    of = {"type": "record", "name": "Row", "fields": fields}
    rows = [optional("before", of), optional("after", "Row")]
    own = [{"name": "op", "type": "string"}, {"name": "ts_ms", "type": "long"}]
    return {"type": "record", "name": "Envelope", "fields": [*rows, *own]}


def in_json(_number: int, _schema: Schema, value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def in_registry(number: int, schema: Schema, value: Mapping[str, Any]) -> bytes:
    return wire.encode(number, encoded(schema, value))


def in_single_object(_number: int, schema: Schema, value: Mapping[str, Any]) -> bytes:
    return single_object_of(schema, encoded(schema, value))


def in_protobuf(number: int, _schema: Schema, value: Mapping[str, Any]) -> bytes:
    """Return a value of the .proto that producing registers: numbers stay their fields' own."""
    state, tags = STATES.index(value["state"]), value.get("tags", ())
    parts = [block(1, value["id"].encode()), timestamp(2, value["at"])]
    parts += [integer(3, state), integer(4, value["n"])]
    if (part := value.get("part")) is not None:
        w = block(2, part["w"].encode()) if "w" in part else b""
        parts.append(block(5, integer(1, part["q"]) + w))
    return framed(number, b"".join([*parts, *(block(6, tag.encode()) for tag in tags)]))
