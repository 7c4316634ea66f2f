"""Which payload schemas a contract lists, whatever words a registry has them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastavro import parse_schema

from pipeline.contract.model import Product

Path = tuple[str, ...]
Shape = tuple[tuple[Path, str], ...]


class ListedSchemas:
    """The payload versions of one contract."""

    def __init__(self, product: Product) -> None:
        shapes = [_shape(schema) for schema in product.payload_schemas]
        self._shapes = set(shapes)
        self._fields = {path for shape in shapes for path, _ in shape}
        self._count = len(shapes)

    def has(self, version: int, schema: Mapping[str, Any]) -> bool:
        """Return whether the contract speaks for records that were written with `schema`.

        `version` is the registry's, 0 for a schema that is no version of the product's subject. Listed is
        what has the fields and types of one of the contract's schemas; and, up to the number of versions
        that the contract has, what has no field that none of those has: the same fields in other words
        (names of records, unions, defaults), or another's schema. Nothing of it is lost.
        """
        shape = _shape(schema)
        if shape in self._shapes:
            return True
        return version <= self._count and {path for path, _ in shape} <= self._fields


def _shape(schema: Mapping[str, Any]) -> Shape:
    """Return the paths of all fields with their types, names of types left out."""
    names: dict[str, Any] = {}
    parsed = parse_schema(dict(schema), named_schemas=names)
    return tuple(_walk(parsed, names, (), ()))


def _walk(
    schema: Any, names: Mapping[str, Any], path: Path, within: tuple[str, ...]
) -> Iterator[tuple[Path, str]]:
    if isinstance(schema, list):
        yield path, "union"
        for branch in schema:
            yield from _walk(branch, names, path, within)
        return
    if isinstance(schema, str) and schema in names:
        schema = names[schema]
    if isinstance(schema, str):
        yield path, schema
        return
    kind = schema["type"]
    if not isinstance(kind, str) or kind in names:
        yield from _walk(kind, names, path, within)
        return
    yield path, f"{kind} {schema.get('logicalType', '')}".strip()
    if kind == "record":
        if schema["name"] in within:
            return
        for field in schema["fields"]:
            inside = (*within, schema["name"])
            yield from _walk(field["type"], names, (*path, field["name"]), inside)
    elif kind == "array":
        yield from _walk(schema["items"], names, (*path, "element"), within)
    elif kind == "map":
        yield from _walk(schema["values"], names, (*path, "value"), within)
    elif kind == "enum":
        yield (*path, *schema["symbols"]), "symbols"
