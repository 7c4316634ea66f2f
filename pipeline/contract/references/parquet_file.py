"""Parquet files of reference data."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.avro.arrow import UnsupportedTypeError
from pipeline.contract.references.column_types import table_type
from pipeline.rows.arrow_values import values_of
from pipeline.rows.converted import ColumnError


class ParquetFile:
    """A Parquet file; its columns keep their types as far as tables have them.

    Attributes:
        names: its columns, in their order; a name may be there twice.
    """

    def __init__(self, content: bytes) -> None:
        """Read `content`.

        Raises:
            OSError, ArrowException: it is no Parquet.
        """
        # Nanoseconds of the older type would turn over beyond 2262.
        self._table = pq.read_table(io.BytesIO(content), coerce_int96_timestamp_unit="us")
        self.names: list[str] = self._table.column_names

    def values(self, name: str) -> Iterator[Any]:
        """Yield the values of a column, the first of its name."""
        for chunk in self._column(name).chunks:
            yield from values_of(chunk)

    def own(self, name: str) -> pa.ChunkedArray:
        """Return a column, the first of its name, as tables have its type.

        Raises:
            ColumnError: a value is none of that type.
            UnsupportedTypeError: there is no such type.
        """
        column = self._column(name)
        wanted = table_type(column.type)
        try:
            return column.cast(wanted)
        except pa.ArrowInvalid as error:
            raise ColumnError(str(error), _first_that_fails(column, wanted), 0) from None
        except pa.ArrowNotImplementedError:
            raise UnsupportedTypeError(f"type {column.type} has no Iceberg type") from None

    def line(self, row: int) -> int:
        """Return the number of a row, from 1; `row` counts from 0."""
        return row + 1

    def _column(self, name: str) -> pa.ChunkedArray:
        return self._table.column(self.names.index(name))


def _first_that_fails(column: pa.ChunkedArray, wanted: pa.DataType) -> int:
    for row in range(len(column)):
        try:
            column.slice(row, 1).cast(wanted)
        except pa.ArrowInvalid:
            return row
    return 0
