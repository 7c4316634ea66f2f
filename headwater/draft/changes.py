"""Drafts of topics that Debezium fills: which they are, and what a contract says of changes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headwater.draft.choose import Choices, choose
from headwater.draft.infer import Inferred, infer
from pipeline.avro.field_path import type_at, value_at
from pipeline.avro.schema import Schema, kind_of
from pipeline.contract.checks.event_check import CHANGE

Row = Mapping[str, Any]
IMAGES = ("before", "after")


def unwrapped(rows: Sequence[Row]) -> Sequence[Row]:
    """Return rows without what Kafka Connect's converter writes around each, where it has."""
    held = [row.get("payload") for row in rows]
    if all(isinstance(one, Mapping) and "op" in one for one in held):
        return [one for one in held if isinstance(one, Mapping)]
    return rows


def are_changes(rows: Sequence[Row]) -> bool:
    """Return whether values of JSON are changes, all of them."""
    return bool(rows) and all(row.keys() >= CHANGE.keys() for row in rows)


def is_change(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema is that of changes."""
    parsed = Schema(schema)
    types = {name: type_at(parsed, name) for name in CHANGE}
    found = {name: None if one is None else parsed.branch(one) for name, one in types.items()}
    return all(one is not None and kind_of(one) == CHANGE[name] for name, one in found.items())


def infer_changes(rows: Sequence[Row], name: str) -> Inferred:
    """Return the schema of changes of JSON, whose row is what all images of it show together."""
    others = [{key: row[key] for key in row if key not in IMAGES} for row in rows]
    found = infer(others, name)
    images = infer([row[one] for row in rows for one in IMAGES if row[one]], f"{name}Row")
    of = [
        {"name": "before", "type": ["null", images.schema], "default": None},
        {"name": "after", "type": ["null", images.schema["name"]], "default": None},
    ]
    found.schema = {**found.schema, "fields": [*of, *found.schema["fields"]]}
    found.left_out |= {f"after.{path}": why for path, why in images.left_out.items()}
    found.guesses |= {f"after.{path}": why for path, why in images.guesses.items()}
    return found


def choose_of_changes(
    schema: Mapping[str, Any], rows: Sequence[Row], keys: Sequence[bytes | None]
) -> Choices:
    """Return what fits changes: a key of the row, and the time at which the database made the change."""
    parsed = Schema(schema)
    type_ = type_at(parsed, "after")
    row_schema = parsed.standalone(parsed.branch(type_))
    images = [value_at(row, "after") or value_at(row, "before") or {} for row in rows]
    of_row = choose(row_schema, images, keys)
    # A row is defined where it is met first, and personal wherever it stands.
    whole = [{**one, "type": parsed.standalone(one["type"])} for one in parsed.root["fields"]]
    found = choose({**parsed.root, "fields": whole}, rows)
    found.key, found.uuid = of_row.key, None
    found.why = {"key": of_row.why.get("key", ""), "eventTime": "when the database made the change"}
    has_source = type_at(parsed, "source.ts_ms") is not None
    found.event_time = "source.ts_ms" if has_source else "ts_ms"
    if type_at(parsed, found.event_time) is None:
        found.event_time = None
    return found
