"""The names that a contract's fields had before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.avro.schema import Schema, kind_of

Path = tuple[str, ...]
"""Names from a column inwards; `element` and `value` stand for what lists and maps hold."""


def former_names(record: Mapping[str, Any]) -> Mapping[Path, tuple[str, ...]]:
    """Return the aliases of fields, by the fields' paths. `record` is a valid Avro record."""
    schema = Schema(record)
    return dict(_below(schema.root, schema, ()))


def _below(part: Any, schema: Schema, path: Path) -> Iterator[tuple[Path, Path]]:
    found = schema.branch(part)
    match None if found is None else kind_of(found):
        case "record":
            for field in found["fields"]:
                place = (*path, field["name"])
                if aliases := tuple(field.get("aliases", ())):
                    yield place, aliases
                yield from _below(field["type"], schema, place)
        case "array":
            yield from _below(found["items"], schema, (*path, "element"))
        case "map":
            yield from _below(found["values"], schema, (*path, "value"))
