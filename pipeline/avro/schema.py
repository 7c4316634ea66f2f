"""Avro schemas with their names resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.avro.normal import NAMED, normalized, simple_name


class Schema:
    """A schema in normal form: `root`, and `names` that it refers to.

    Raises:
        NotAvroError: it is none.
    """

    def __init__(self, schema: Any) -> None:
        self.root = normalized(schema)
        self.names: dict[str, Any] = {}
        self._define(self.root)

    def _define(self, part: Any) -> None:
        if isinstance(part, list):
            for branch in part:
                self._define(branch)
        elif isinstance(part, Mapping):
            if part["type"] in NAMED:
                self.names[part["name"]] = part
            for field in part.get("fields", ()):
                self._define(field["type"])
            self._define(part.get("items"))
            self._define(part.get("values"))

    def deref(self, schema: Any) -> Any:
        """Return the schema that a name stands for; any other as it is."""
        return self.names.get(schema, schema) if isinstance(schema, str) else schema

    def standalone(self, schema: Any) -> Any:
        """Return `schema` as one that needs no other: names replaced where they are first met."""
        seen: set[str] = set()

        def expand(part: Any) -> Any:
            if isinstance(part, str):
                if part not in self.names or part in seen:
                    return part
                part = self.names[part]
            if isinstance(part, list):
                return [expand(one) for one in part]
            seen.add(part.get("name", ""))
            return {
                key: expand(value)
                if key in ("items", "values")
                else [{**field, "type": expand(field["type"])} for field in value]
                if key == "fields"
                else value
                for key, value in part.items()
            }

        return expand(schema)

    def branch(self, schema: Any) -> Any:
        """Return the one type besides null, dereferenced; None for a union of several, or of none."""
        schema = self.deref(schema)
        if not isinstance(schema, list):
            return schema
        branches = [one for one in schema if one != "null"]
        return self.deref(branches[0]) if len(branches) == 1 else None


def kind_of(schema: Any) -> str:
    """Return the Avro type of a dereferenced schema, `union` for a list of branches."""
    if isinstance(schema, str):
        return schema
    return "union" if isinstance(schema, list) else str(schema["type"])


def logical_of(schema: Any) -> str | None:
    """Return the logical type of a dereferenced schema, None for none."""
    return schema.get("logicalType") if isinstance(schema, Mapping) else None


def same_name(writer: Mapping[str, Any], reader: Mapping[str, Any]) -> bool:
    """Return whether a named type's data may be read as `reader`: by its name alone, or an alias in full."""
    return simple_name(writer["name"]) == simple_name(reader["name"]) or (
        writer["name"] in reader.get("aliases", ())
    )


def field_types(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of each field of a valid record; where it is a name, what the name stands for."""
    known = Schema(record)
    return {field["name"]: _unnamed(field["type"], known.names) for field in known.root["fields"]}


def _unnamed(schema: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_unnamed(branch, names) for branch in schema]
    return names.get(schema, schema) if isinstance(schema, str) else schema
