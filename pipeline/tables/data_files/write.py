"""Writing rows of events as data files: sorted, one hour a file, near a target size."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionFieldValue, PartitionKey
from pyiceberg.table import Table
from pyiceberg.table.locations import load_location_provider
from pyiceberg.typedef import Record

from pipeline.tables.data_files.bounds import statistics_of
from pipeline.tables.data_files.conform import Conformer
from pipeline.tables.errors import named_errors

TARGET_BYTES = 128 * 2**20
"""What a data file should be, compressed."""
ORDER = ("_event_time", "_topic_partition", "_offset")
"""The order of rows within a file."""
FILTERED = ("_uuid",)
"""Columns whose row groups have Bloom filters: what finds one event among all."""
MICROS_PER_HOUR = 3_600_000_000
_FALSE_POSITIVES = 0.05
_ROW_GROUP = 256 * 1024
_GROUP_BYTES = 16 * 2**20
_AT_ONCE = 2
_SAMPLE = 2_000
_REPEATED = 0.3
# Of rows in memory; measured on the demo's products and on the benchmark's.
_COMPRESSION = 0.3


def write_hours(
    table: Table, frames: Sequence[pl.DataFrame], target_bytes: int = TARGET_BYTES
) -> tuple[DataFile, ...]:
    """Write the rows of `frames` as data files of `table`, which no reader sees until committed.

    `table` is partitioned by the hour of `_event_time`. Each file holds one hour, in the order of
    `ORDER`; an hour's rows are cut where a file would pass `target_bytes`. Lower and upper bounds,
    null counts and sizes of every column stand in the result, so that readers can skip files; each row group
    has a Bloom filter of `FILTERED`, so that they can skip these. Files left behind by a crash are orphans.
    Two files are written at once; beside `frames`, a row group of each is in memory (16 MiB, or one row), and
    rows once more without their texts (16 bytes a column).

    Raises:
        ColumnMissingError: rows have a column that the table has not.
        DiskFullError, WarehouseUnavailableError: the warehouse cannot be written.
    """
    if not sum(len(frame) for frame in frames):
        return ()
    rows = _Sorted(frames, table)
    with named_errors(".".join(table.name()), table.location()):
        parts = tuple(_parts(rows, target_bytes))
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="file") as threads:
            return tuple(threads.map(lambda part: _write(table, part[0], rows, part[1]), parts))


class _Sorted:
    """Rows in the order of `ORDER`, whose texts are views into the bytes that were decoded."""

    def __init__(self, frames: Sequence[pl.DataFrame], table: Table) -> None:
        # Of several chunks, or of a part of one, texts would be copied for views of them to be put in order.
        rows = pl.concat(frames).rechunk().sort(*ORDER)
        times = rows.get_column("_event_time").dt.epoch("us")
        self.hours: npt.NDArray[np.int64] = times.to_numpy() // MICROS_PER_HOUR
        self._conformer = Conformer(table, rows.schema)
        self._rows = self._conformer.select(rows)
        self._columns = schema_to_pyarrow(table.schema())
        self.schema = pa.schema([_viewed(one) for one in self._columns])
        """The table's columns, texts as views."""

    def piece(self, part: range) -> pa.Table:
        """Return the rows of these places, in `schema`."""
        return self._cut(part, self.schema)

    def sample(self, part: range) -> pa.Table:
        """Return the first rows of these places, texts copied."""
        return self._cut(part[:_SAMPLE], self._columns)

    def _cut(self, part: range, columns: pa.Schema) -> pa.Table:
        rows = self._rows.slice(part.start, len(part))
        arrow = rows.to_arrow(compat_level=pl.CompatLevel.newest())
        return self._conformer.cast(arrow, columns)


def _viewed(column: pa.Field) -> pa.Field:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.with_type(pa.string_view())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return column.with_type(pa.binary_view())
    return column


def _parts(rows: _Sorted, target_bytes: int) -> Iterator[tuple[int, range]]:
    """Yield hours and the places of a file's rows."""
    cuts = np.flatnonzero(np.diff(rows.hours, prepend=rows.hours[0] - 1)).tolist()
    for start, end in itertools.pairwise((*cuts, len(rows.hours))):
        most = max(1, int(target_bytes / _COMPRESSION / _row_bytes(rows.sample(range(start, end)))))
        # Equal parts rather than full ones and a rest.
        files = -(-(end - start) // most)
        size = -(-(end - start) // files)
        for begin in range(start, end, size):
            yield int(rows.hours[start]), range(begin, min(begin + size, end))


def _row_bytes(sample: pa.Table) -> float:
    return max(1.0, float(sample.nbytes) / len(sample))


def _write(table: Table, hour: int, rows: _Sorted, part: range) -> DataFile:
    metadata = table.metadata
    schema, spec = table.schema(), table.spec()
    key = PartitionKey([PartitionFieldValue(spec.fields[0], hour)], spec, schema)
    where = load_location_provider(metadata.location, metadata.properties)
    path = where.new_data_location(f"{uuid.uuid4()}.parquet", key)
    out = table.io.new_output(path)
    sample = rows.sample(part)
    group = max(1, min(_ROW_GROUP, int(_GROUP_BYTES / _row_bytes(sample))))
    with (
        out.create(overwrite=True) as stream,
        pq.ParquetWriter(
            stream,
            rows.schema,
            # Readers take a file as any engine's: it does not say that texts were views.
            store_schema=False,
            compression="zstd",
            compression_level=1,
            use_dictionary=_repeated(sample),
            write_page_index=True,
            store_decimal_as_integer=True,
            bloom_filter_options=_filters(rows.schema, min(group, len(part))),
        ) as writer,
    ):
        for begin in range(0, len(part), group):
            writer.write(rows.piece(part[begin : begin + group]), row_group_size=group)
    statistics = statistics_of(writer.writer.metadata, schema, metadata.properties)
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(hour),
        file_size_in_bytes=len(out),
        sort_order_id=None,
        spec_id=metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )


def _filters(schema: pa.Schema, rows: int) -> dict[str, dict[str, float]] | None:
    """Return the Bloom filters of a row group: each of one to two bytes for each of `rows`."""
    held = [name for name in FILTERED if name in schema.names]
    return {name: {"ndv": rows, "fpp": _FALSE_POSITIVES} for name in held} or None


def _repeated(sample: pa.Table) -> list[str]:
    """Return the columns worth a dictionary: those whose values repeat in `sample`.

    Floats have none: Iceberg's Spark passes over a file whose dictionary has -0.0 when asked for 0.0.
    """
    limit = max(1, int(sample.num_rows * _REPEATED))
    return [
        name
        for name, column in zip(sample.column_names, sample.columns, strict=True)
        if not pa.types.is_nested(column.type)
        and not pa.types.is_boolean(column.type)
        and not pa.types.is_floating(column.type)
        and pc.count_distinct(column, mode="all").as_py() <= limit
    ]
