"""Files of reference data as a table whose columns have the contract's types, or say why not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.avro.arrow import UnsupportedTypeError
from pipeline.contract.references.column_types import table_type
from pipeline.rows.arrow_values import values_of
from pipeline.rows.columns import ColumnError, instants, shown_type, typed

NULL = "NA"
"""Beside the empty text, what stands for no value in a CSV, save in a key that is a text."""


@dataclass(frozen=True)
class Wanted:
    """What a contract says of a file's columns: Avro schemas of keys and of `types`, and `valid_from`.

    `columns` are those that tables get.
    """

    on: Mapping[str, Any]
    columns: tuple[str, ...] = ()
    valid_from: str | None = None
    types: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """One column that cannot be what it should be. `line` is the file's, 0 where no line is to blame.

    In Parquet files it counts rows.
    """

    column: str
    line: int
    text: str


def read_typed(path: Path, content: bytes, wanted: Wanted) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the table in `content`, by the suffix of `path`, and what is wrong with it.

    Columns of `wanted` have its types, times of `valid_from` are instants in UTC. All others have the
    type that their texts show, or that a Parquet file gives them. Columns with problems are left out.

    Raises:
        ValueError, OSError, PolarsError, ArrowException: it cannot be read at all.
    """
    file = _Parquet(content) if path.suffix == ".parquet" else _Csv(content, wanted)
    found: dict[str, pl.Series] = {}
    problems: list[Problem] = []
    named = {*wanted.on, *wanted.columns, *wanted.types}
    named |= {wanted.valid_from} if wanted.valid_from is not None else set()
    for name in file.names:
        try:
            if name == wanted.valid_from:
                found[name] = instants(file.values(name))
            elif name in wanted.on or name in wanted.types:
                schema = wanted.on[name] if name in wanted.on else wanted.types[name]
                found[name] = typed(file.values(name), schema)
            else:
                found[name] = file.own(name)
        except ColumnError as error:
            problems.append(Problem(name, file.line(error.row), str(error)))
        except (UnsupportedTypeError, ValueError) as error:
            if name in named:
                problems.append(Problem(name, 0, str(error)))
    problems += [
        Problem(name, 1, "a column that is there twice")
        for name in named
        if file.names.count(name) > 1
    ]
    return pl.DataFrame(found), problems


class _Csv:
    def __init__(self, content: bytes, wanted: Wanted) -> None:
        self._content = content
        frame = pl.read_csv(io.BytesIO(content), infer_schema=False)
        # Polars gives the second of two columns of one name another one.
        self.names = [name.partition("_duplicated_")[0] for name in frame.columns]
        self._frame = frame
        self._keys = {
            name for name, schema in wanted.on.items() if typed([], schema).dtype == pl.String
        }

    def values(self, name: str) -> Iterator[str | None]:
        return iter(self._texts(name).to_list())

    def own(self, name: str) -> pl.Series:
        return shown_type(self._texts(name))

    def _texts(self, name: str) -> pl.Series:
        texts = self._frame[name]
        return texts if name in self._keys else texts.replace(NULL, None)

    def line(self, row: int) -> int:
        csv.field_size_limit(max(csv.field_size_limit(), len(self._content)))
        reader = csv.reader(io.StringIO(self._content.decode("utf-8-sig"), newline=""))
        begin = 0
        for number, _ in enumerate(reader):
            if number == row + 1:
                return begin + 1
            begin = reader.line_num
        return begin


class _Parquet:
    def __init__(self, content: bytes) -> None:
        # Nanoseconds of the older type would turn over beyond 2262.
        table = pq.read_table(io.BytesIO(content), coerce_int96_timestamp_unit="us")
        self.names: list[str] = table.column_names
        self._table = table

    def values(self, name: str) -> Iterator[Any]:
        for chunk in self._table.column(name).chunks:
            yield from values_of(chunk)

    def own(self, name: str) -> pl.Series:
        column = self._table.column(name)
        wanted = table_type(column.type)
        try:
            return pl.Series(column.cast(wanted))
        except pa.ArrowInvalid as error:
            raise ColumnError(str(error), _first_that_fails(column, wanted), 0) from None
        except pa.ArrowNotImplementedError:
            raise UnsupportedTypeError(f"type {column.type} has no Iceberg type") from None

    def line(self, row: int) -> int:
        return row + 1


def _first_that_fails(column: pa.ChunkedArray, wanted: pa.DataType) -> int:
    for row in range(len(column)):
        try:
            column.slice(row, 1).cast(wanted)
        except pa.ArrowInvalid:
            return row
    return 0
