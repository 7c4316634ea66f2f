"""The names that a contract's fields had before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.avro.schema import Schema

Path = tuple[str, ...]
"""Names from a column inwards; `element` and `value` stand for what lists and maps hold."""


def former_names(record: Mapping[str, Any]) -> Mapping[Path, tuple[str, ...]]:
    """Return the aliases of fields, by the fields' paths. `record` is a valid Avro record."""
    known = Schema(record)
    return dict(_record(known.root, known.names, ()))


def _record(record: Any, names: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Path]]:
    for field in record["fields"]:
        place = (*path, field["name"])
        if aliases := tuple(field.get("aliases", ())):
            yield place, aliases
        yield from _below(field["type"], names, place)


def _below(schema: Any, names: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Path]]:
    if isinstance(schema, list):
        for branch in schema:
            yield from _below(branch, names, path)
    elif isinstance(schema, str):
        if schema in names:
            yield from _below(names[schema], names, path)
    elif schema["type"] == "record":
        yield from _record(schema, names, path)
    elif schema["type"] == "array":
        yield from _below(schema["items"], names, (*path, "element"))
    elif schema["type"] == "map":
        yield from _below(schema["values"], names, (*path, "value"))
    elif not isinstance(schema["type"], str) or schema["type"] in names:
        yield from _below(schema["type"], names, path)
