"""Rows by the names that their table has for columns, at every level of nesting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa
from pyiceberg.table import Table
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

from pipeline.errors import TerminalError
from pipeline.tables.data_files.past_names import ROOT, PastNames


class ColumnMissingError(TerminalError):
    """Rows have a column that their table has not: writing them would lose it."""


class Conformer:
    """Gives rows the columns of one table as it is now.

    A column that the table has renamed since is found by the name that it had; one that rows lack is null.
    """

    def __init__(self, table: Table, given: Mapping[str, pl.DataType]) -> None:
        """`given` are names and types of the columns that rows have.

        Raises:
            ColumnMissingError: the table lacks one of them, or a field of one.
        """
        self._subject = ".".join(table.name())
        self._past = PastNames(table.metadata.schemas)
        held = table.schema().as_struct()
        found = self._match(ROOT, held, list(given), "")
        self._source = {field.name: name for name, field in found.items()}
        self._order = [field.name for field in held.fields]
        frame = pl.DataFrame(schema=dict(given)).to_arrow(compat_level=pl.CompatLevel.newest())
        self._views = {
            field.name: view
            for name, field in found.items()
            if (view := self._named(frame.schema.field(name).type, field, name))
            != frame.schema.field(name).type
        }

    def select(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the table's columns of `rows`, in its order; what they lack is of polars' type Null."""
        if rows.columns == self._order:
            return rows
        return rows.select(
            (pl.col(self._source[name]) if name in self._source else pl.lit(None)).alias(name)
            for name in self._order
        )

    def cast(self, rows: pa.Table, columns: pa.Schema) -> pa.Table:
        """Return selected rows as `columns`, which are the table's. Records get the fields that they lack.

        Raises:
            pyarrow.ArrowInvalid: a value does not fit its column.
        """
        for name, view in self._views.items():
            at = rows.column_names.index(name)
            chunks = [chunk.view(view) for chunk in rows.column(at).chunks]
            rows = rows.set_column(at, name, pa.chunked_array(chunks, view))
        return rows.cast(columns)

    def _match(
        self, parent: int, held: StructType, names: Sequence[str], place: str
    ) -> dict[str, NestedField]:
        found: dict[str, NestedField] = {}
        for name in names:
            field = self._past.find(parent, held, name)
            if field is None or field in found.values():
                raise ColumnMissingError(
                    f"rows have the column {place}{name}, and the table has not.",
                    subject=self._subject,
                    remedy="Run `headwater contract plan` to see what differs, and try again.",
                )
            found[name] = field
        return found

    def _named(self, given: pa.DataType, field: NestedField, place: str) -> pa.DataType:
        return self._type(given, field.field_type, field.field_id, f"{place}.")

    def _type(self, given: pa.DataType, held: IcebergType, own: int, place: str) -> pa.DataType:
        """Return type `given` with the names that the table has."""
        if isinstance(held, StructType) and pa.types.is_struct(given):
            found = self._match(own, held, [one.name for one in given], place)
            return pa.struct(
                [
                    pa.field(
                        found[one.name].name,
                        self._named(one.type, found[one.name], f"{place}{one.name}"),
                        one.nullable,
                    )
                    for one in given
                ]
            )
        if isinstance(held, ListType) and pa.types.is_large_list(given):
            item = self._type(given.value_type, held.element_type, held.element_id, place)
            return pa.large_list(given.value_field.with_type(item))
        if isinstance(held, MapType) and pa.types.is_map(given):
            item = self._type(given.item_type, held.value_type, held.value_id, place)
            return pa.map_(given.key_field, given.item_field.with_type(item))
        return given
