"""A payload as its writer wrote it, by the names that the contract's schema has now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.avro.schema import Schema, kind_of


def by_current_names(fields: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` with those names of `schema` that they have under an alias, at every level.

    What the schema does not have stays. Maps that are lists of pairs become mappings.
    """
    parsed = Schema(schema)
    named: dict[str, Any] = _named(fields, parsed.root, parsed)
    return named


def _named(value: Any, type_: Any, schema: Schema) -> Any:
    found = schema.branch(schema.deref(type_))
    if value is None or found is None:
        return value
    match kind_of(found):
        case "record" if isinstance(value, Mapping):
            own = dict(value)
            for field in found["fields"]:
                name = field["name"]
                told = next((one for one in (name, *field.get("aliases", ())) if one in own), None)
                if told is not None:
                    own[name] = _named(own[told], field["type"], schema)
            return own
        case "array" if isinstance(value, list):
            return [_named(one, found["items"], schema) for one in value]
        case "map" if isinstance(value, Mapping | list):
            return {key: _named(one, found["values"], schema) for key, one in dict(value).items()}
    return value
