"""Dead letters whole, some at a time."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa
from pyiceberg.expressions import BooleanExpression
from pyiceberg.table import Table

from pipeline.kafka.records import RawRecord
from pipeline.rows.frames import to_frame
from pipeline.tables.data_files.read import iter_file
from pipeline.tables.integrity.reading import reading

ROWS, BYTES = 20_000, 32 * 2**20
"""Of a chunk, at most; one larger record is a chunk of its own."""
KEYS = ("_topic_id", "_topic_partition", "_offset")


def chunks(table: Table, rows: BooleanExpression, wanted: pl.DataFrame) -> Iterator[pa.Table]:
    """Yield the rows of `table` whose KEYS are in `wanted`, in files that may hold some by `rows`.

    A chunk has at most `ROWS` rows, and about `BYTES`.

    Raises:
        FileMissingError, FileDamagedError, WarehouseUnavailableError: the table cannot be read.
    """
    with reading(table):
        tasks = list(table.scan(row_filter=rows).plan_files())
    keys = wanted.select(KEYS)
    for task in tasks:
        for part in iter_file(table, task.file, BYTES):
            own = to_frame(part.select(KEYS)).with_row_index("__row")
            # As the keys of states are: without the types that Arrow gives texts.
            held = own.join(keys, on=KEYS, how="semi").get_column("__row")
            found = part.take(held.to_arrow())
            for begin in range(0, found.num_rows, ROWS):
                yield found.slice(begin, ROWS)


def raw_records(rows: pa.Table) -> list[RawRecord]:
    """Return the records of rows that have a record's columns; `record_time` as the column says, or 0."""
    times = (
        rows.column("_record_time").cast(pa.int64()).to_pylist()
        if "_record_time" in rows.column_names
        else [0] * rows.num_rows
    )
    return [
        RawRecord(
            partition=partition,
            offset=offset,
            record_time=time,
            key=key,
            value=value,
            headers=tuple((one["key"], one["value"]) for one in headers or ()),
        )
        for partition, offset, time, key, value, headers in zip(
            rows.column("_topic_partition").to_pylist(),
            rows.column("_offset").to_pylist(),
            times,
            rows.column("record_key").to_pylist(),
            rows.column("record_value").to_pylist(),
            rows.column("headers").to_pylist(),
            strict=True,
        )
    ]
