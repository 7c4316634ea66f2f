"""Which payload schemas a contract lists, whatever words a registry has them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.avro.normal import NotAvroError
from pipeline.avro.schema import Schema, kind_of, logical_of
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
        (names of records, unions, defaults), or another's schema. Nothing of it is lost. What is no Avro
        schema is read by nobody, and is not called unlisted.
        """
        try:
            shape = _shape(schema)
        except NotAvroError:
            return True
        if shape in self._shapes:
            return True
        return version <= self._count and {path for path, _ in shape} <= self._fields


def _shape(schema: Mapping[str, Any]) -> Shape:
    """Return the paths of all fields with their types, names of types left out."""
    whole = Schema(schema)
    return tuple(_walk(whole, whole.root, (), ()))


def _walk(
    whole: Schema, part: Any, path: Path, within: tuple[str, ...]
) -> Iterator[tuple[Path, str]]:
    part = whole.deref(part)
    kind = kind_of(part)
    yield path, f"{kind} {logical_of(part) or ''}".strip()
    if kind == "union":
        for branch in part:
            yield from _walk(whole, branch, path, within)
    elif kind == "record" and part["name"] not in within:
        for field in part["fields"]:
            inside = (*within, part["name"])
            yield from _walk(whole, field["type"], (*path, field["name"]), inside)
    elif kind == "array":
        yield from _walk(whole, part["items"], (*path, "element"), within)
    elif kind == "map":
        yield from _walk(whole, part["values"], (*path, "value"), within)
    elif kind == "enum":
        for symbol in part["symbols"]:
            yield (*path, symbol), "symbol"
