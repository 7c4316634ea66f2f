"""What the uuid of a record's value is, by format. Imports nothing under test."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import fastavro

from tests.support.topic_reader import UuidOf

CONFLUENT_BYTES = 5
SINGLE_OBJECT_BYTES = 10


def in_avro(schema: Mapping[str, Any], path: str, header_bytes: int = CONFLUENT_BYTES) -> UuidOf:
    """Return what reads the uuid at a path of fields, of values of Avro behind so many bytes."""
    parsed = fastavro.parse_schema(dict(schema))

    def uuid_of(value: bytes) -> str | None:
        if len(value) <= header_bytes or (header_bytes == CONFLUENT_BYTES and value[0] != 0):
            return None
        try:
            body = io.BytesIO(value[header_bytes:])
            return _at(fastavro.schemaless_reader(body, parsed, None), path)
        except (EOFError, IndexError, ValueError, TypeError, OverflowError, StopIteration):
            return None

    return uuid_of


def in_json(path: str) -> UuidOf:
    """Return what reads the uuid at a path of fields, of values of JSON."""

    def uuid_of(value: bytes) -> str | None:
        try:
            return _at(json.loads(value), path)
        except ValueError:
            return None

    return uuid_of


def first_text_in_protobuf(value: bytes) -> str | None:
    """Return the uuid where it is the first field of a file's first message, of 36 bytes, and is number 1."""
    body = value[CONFLUENT_BYTES + 1 :]
    return body[2:38].decode("ascii", "replace") if body[:2] == b"\x0a\x24" else None


def _at(found: Any, path: str) -> str | None:
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return None if found is None else str(found)
