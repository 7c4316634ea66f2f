"""Avro schemas in one form: names in full, and nothing in it that Avro, or a table, ignores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.avro.logical_types import valid_logical

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED = frozenset({"record", "enum", "fixed"})
MEANT = frozenset(
    {
        "date",
        "decimal",
        "time-millis",
        "time-micros",
        "timestamp-millis",
        "timestamp-micros",
        "local-timestamp-millis",
        "local-timestamp-micros",
    }
)
"""Logical types that make another column than their base type does; all others change nothing."""
MAX_DEPTH = 100
"""Types within types."""


class NotAvroError(ValueError):
    """The JSON is not an Avro schema; the text says why."""


def normalized(schema: Any) -> Any:
    """Return parsed JSON `schema` in its normal form, which is an Avro schema too.

    A type that says no more than its name is the name; a named type stands where it is first met, under its
    full name, and is its full name from there on; aliases of types are in full. Logical types stand only
    where they have a meaning (`MEANT`), a decimal always with its scale; properties that do not bear on
    how data is read are left out. Not every mistake is found: see `pipeline.avro.validity`.

    Raises:
        NotAvroError: a part is missing or no type at all.
    """
    return _Normal().part(schema, "", 0)


def simple_name(full: str) -> str:
    """Return a full name without its namespace."""
    return full.rpartition(".")[2]


class _Normal:
    def __init__(self) -> None:
        self._known: set[str] = set()

    def part(self, schema: Any, space: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise NotAvroError(f"more than {MAX_DEPTH} types within each other")
        if isinstance(schema, list):
            return [self.part(branch, space, depth + 1) for branch in schema]
        if isinstance(schema, str):
            return schema if schema in PRIMITIVES else self._reference(schema, space)
        if not isinstance(schema, Mapping) or "type" not in schema:
            raise NotAvroError(f"no type: {_short(schema)}")
        kind = "record" if schema["type"] == "error" else schema["type"]
        if isinstance(kind, str) and kind in NAMED:
            return self._named(kind, schema, space, depth)
        if kind == "array":
            return {"type": kind, "items": self._inner(schema, "items", space, depth)}
        if kind == "map":
            return {"type": kind, "values": self._inner(schema, "values", space, depth)}
        if isinstance(kind, str) and kind in PRIMITIVES:
            meaning = _meaning(schema)
            return {"type": kind, **meaning} if meaning else kind
        return self.part(kind, space, depth + 1)

    def _inner(self, schema: Mapping[str, Any], key: str, space: str, depth: int) -> Any:
        if key not in schema:
            raise NotAvroError(f"{schema['type']} has no {key}")
        return self.part(schema[key], space, depth + 1)

    def _reference(self, name: str, space: str) -> str:
        for full in (f"{space}.{name}" if space and "." not in name else name, name):
            if full in self._known:
                return full
        raise NotAvroError(f"unknown type {name}")

    def _named(self, kind: str, schema: Mapping[str, Any], space: str, depth: int) -> Any:
        full, space = full_name(schema, space)
        if full in self._known:
            raise NotAvroError(f"{full} is defined twice")
        self._known.add(full)
        made: dict[str, Any] = {"type": kind, "name": full}
        if aliases := _texts(schema.get("aliases", [])):
            made["aliases"] = [a if "." in a or not space else f"{space}.{a}" for a in aliases]
        if kind == "fixed":
            if type(schema.get("size")) is not int:
                raise NotAvroError(f"{full} has no size")
            return made | {"size": schema["size"]} | _meaning(schema)
        if kind == "enum":
            made["symbols"] = _texts(schema.get("symbols"))
            return made | ({"default": schema["default"]} if "default" in schema else {})
        fields = schema.get("fields")
        if not isinstance(fields, list):
            raise NotAvroError(f"record {full} has no list `fields`")
        made["fields"] = [self._field(one, full, space, depth) for one in fields]
        return made

    def _field(self, field: Any, record: str, space: str, depth: int) -> dict[str, Any]:
        if not isinstance(field, Mapping) or not isinstance(field.get("name"), str):
            raise NotAvroError(f"a field of {record} has no name")
        if "type" not in field:
            raise NotAvroError(f"field {field['name']} of {record} has no type")
        made = {"name": field["name"], "type": self.part(field["type"], space, depth + 1)}
        if "default" in field:
            made["default"] = field["default"]
        if aliases := _texts(field.get("aliases", [])):
            made["aliases"] = aliases
        return made


def full_name(schema: Mapping[str, Any], space: str) -> tuple[str, str]:
    """Return the full name of a named type within namespace `space`, and the namespace inside it.

    Raises:
        NotAvroError: it has no name.
    """
    name = schema.get("name")
    if not isinstance(name, str):
        raise NotAvroError(f"{schema['type']} has no name")
    if "." in name:
        return name, name.rpartition(".")[0]
    own = schema.get("namespace")
    space = own if isinstance(own, str) else space
    return f"{space}.{name}" if space else name, space


def _meaning(schema: Mapping[str, Any]) -> dict[str, Any]:
    logical = valid_logical(schema)
    if logical not in MEANT:
        return {}
    if logical != "decimal":
        return {"logicalType": logical}
    scale = schema.get("scale", 0)
    return {"logicalType": logical, "precision": schema["precision"], "scale": scale}


def _texts(found: Any) -> list[str]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise NotAvroError(f"a list of names, not {_short(found)}")
    return list(found)


def _short(found: Any) -> str:
    return f"{found!r}"[:60]
