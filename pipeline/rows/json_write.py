"""Payloads as JSON: what `pipeline.rows.convert` reads back as the same values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipeline.avro.encode import named, plain
from pipeline.avro.logical_types import valid_logical

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROS = {"millis": 1_000, "micros": 1}

Write = Callable[[Any], Any]


def json_encoder(schema: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bytes]:
    """Return what writes a payload of `schema` as one line of JSON, in UTF-8.

    Values are as `pipeline.avro.encode.encoder` takes them, or as fastavro does: times are counts of their
    unit or Python's own, decimals are unscaled or `Decimal`. Instants are written in ISO 8601, in UTC, bytes
    as the characters of their codes.
    """
    root, names = named(schema)
    write = _writer(root, names)
    return lambda payload: json.dumps(
        write(payload), ensure_ascii=False, separators=(",", ":")
    ).encode()


def _writer(schema: Any, names: Mapping[str, Any]) -> Write:
    schema = plain(schema, names)
    if isinstance(schema, list):
        others = [one for one in schema if plain(one, names)["type"] != "null"]
        write = _writer(others[0], names) if others else _as_it_is
        return lambda value: None if value is None else write(value)
    logical = valid_logical(schema) or ""
    prefix, _, unit = logical.rpartition("-")
    if prefix in ("timestamp", "local-timestamp") and unit in _MICROS:
        micros = _MICROS[unit]
        return lambda value: _instant(value, micros)
    if logical == "date":
        return lambda value: (
            value.isoformat()
            if isinstance(value, date)
            else (_EPOCH + timedelta(days=value)).date().isoformat()
        )
    if logical == "decimal":
        scale = schema.get("scale", 0)
        return lambda value: format(
            value if isinstance(value, Decimal) else Decimal(value).scaleb(-scale), "f"
        )
    match schema["type"]:
        case "record" | "error":
            fields = [(field["name"], _writer(field["type"], names)) for field in schema["fields"]]
            return lambda value: {name: write(value[name]) for name, write in fields}
        case "array":
            item = _writer(schema["items"], names)
            return lambda value: [item(one) for one in value]
        case "map":
            of = _writer(schema["values"], names)
            return lambda value: {key: of(one) for key, one in value.items()}
        case "bytes" | "fixed":
            return lambda value: value.decode("latin-1")
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _instant(value: Any, micros: int) -> Any:
    at = value if isinstance(value, datetime) else _EPOCH + timedelta(microseconds=value * micros)
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
