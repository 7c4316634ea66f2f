"""The names that columns have had: Iceberg knows a column by its id, rows and people by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyiceberg.schema import Schema
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

ROOT = -1
"""Stands for the table itself where a parent's id is asked for."""


class PastNames:
    """Which column a name once stood for, at every level of nesting.

    What the schemas that a table's metadata keeps have forgotten is not known.
    """

    def __init__(self, schemas: Iterable[Schema]) -> None:
        """`schemas` are those that the table has had, in any order."""
        self._once: dict[tuple[int, str], int] = {}
        # The newest schema that had a name says whose it was.
        for schema in sorted(schemas, key=lambda one: one.schema_id):
            for parent, field in named_fields(schema.as_struct(), ROOT):
                self._once[parent, field.name] = field.field_id

    def find(self, parent: int, struct: StructType, name: str) -> NestedField | None:
        """Return the field of `struct`, whose id is `parent`, that is or once was named `name`.

        A field that has the name now comes before one that had it.
        """
        for field in struct.fields:
            if field.name == name:
                return field
        once = self._once.get((parent, name))
        return next((field for field in struct.fields if field.field_id == once), None)


def named_fields(struct: StructType, parent: int) -> Iterator[tuple[int, NestedField]]:
    """Yield every field of `struct` and below it, with the id of the record that holds it.

    The record of a list's items has the id of the list's element, that of a map's values the value's.
    """
    for field in struct.fields:
        yield parent, field
        yield from _inside(field.field_type, field.field_id)


def _inside(type_: IcebergType, own: int) -> Iterator[tuple[int, NestedField]]:
    if isinstance(type_, StructType):
        yield from named_fields(type_, own)
    elif isinstance(type_, ListType):
        yield from _inside(type_.element_type, type_.element_id)
    elif isinstance(type_, MapType):
        yield from _inside(type_.value_type, type_.value_id)
