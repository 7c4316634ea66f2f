"""Reading a table's data files by the ids of their columns, with every null where it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.schema import Schema
from pyiceberg.table import Table

from pipeline.tables.integrity.reading import reading

_FIELD_ID = b"PARQUET:field_id"


def read_files(table: Table, files: Iterable[DataFile]) -> pa.Table:
    """Return the rows of `files`, all of them Parquet files of `table`, as its columns are now.

    Names are those of now, types as wide as now, and columns that a file lacks are null. PyIceberg 0.12
    makes empty lists of null ones where items are records, which must not be written again.

    Raises: as `reading`.
    """
    columns = schema_to_pyarrow(table.schema())
    empty = columns.empty_table()
    with reading(table):
        return pa.concat_tables([empty, *(_read(table, file, columns) for file in files)])


def iter_file(table: Table, file: DataFile, batch_bytes: int) -> Iterator[pa.Table]:
    """Yield the rows of a Parquet file as `read_files` gives them, about `batch_bytes` of them at a time.

    Raises: as `reading`.
    """
    columns = schema_to_pyarrow(table.schema())
    with reading(table), table.io.new_input(file.file_path).open() as stream:
        parquet = pq.ParquetFile(stream)
        groups = [parquet.metadata.row_group(k) for k in range(parquet.metadata.num_row_groups)]
        size = sum(group.total_byte_size for group in groups) // max(1, parquet.metadata.num_rows)
        for batch in parquet.iter_batches(batch_size=max(1, batch_bytes // max(1, size))):
            yield _conformed(pa.table(batch), table, columns)


def _read(table: Table, file: DataFile, columns: pa.Schema) -> pa.Table:
    with table.io.new_input(file.file_path).open() as stream:
        rows = pq.read_table(stream)
    return _conformed(rows, table, columns)


def _conformed(rows: pa.Table, table: Table, columns: pa.Schema) -> pa.Table:
    by_id = {_id(field): number for number, field in enumerate(rows.schema)}
    found = [by_id.get(_id(column)) for column in columns]
    return pa.table(
        [
            pa.nulls(rows.num_rows, column.type)
            if number is None
            else _now(rows.column(number), rows.schema.field(number), table.schema()).cast(
                column.type
            )
            for column, number in zip(columns, found, strict=True)
        ],
        schema=columns,
    )


def _now(column: pa.ChunkedArray, field: pa.Field, schema: Schema) -> pa.ChunkedArray:
    """Return `column` with the names that its nested fields have now."""
    named = _named(field, schema)
    if named.type == field.type:
        return column
    return pa.chunked_array([chunk.view(named.type) for chunk in column.chunks], named.type)


def _named(field: pa.Field, schema: Schema) -> pa.Field:
    type_ = field.type
    if pa.types.is_struct(type_):
        inner = [_named(type_.field(number), schema) for number in range(type_.num_fields)]
        type_ = pa.struct([one.with_name(_name(one, schema)) for one in inner])
    elif pa.types.is_list(type_):
        type_ = pa.list_(_named(type_.value_field, schema))
    elif pa.types.is_map(type_):
        type_ = pa.map_(type_.key_field, _named(type_.item_field, schema))
    return field.with_type(type_)


def _name(field: pa.Field, schema: Schema) -> str:
    return schema.find_field(_id(field)).name


def _id(field: pa.Field) -> int:
    return int((field.metadata or {})[_FIELD_ID])
