"""Writing rows of events as data files: sorted, one hour a file, near a target size."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionFieldValue, PartitionKey
from pyiceberg.table import Table
from pyiceberg.table.locations import load_location_provider
from pyiceberg.typedef import Record

from pipeline.tables.errors import named_errors

TARGET_BYTES = 128 * 2**20
"""What a data file should be, compressed."""
ORDER = ("_event_time", "_topic_partition", "_offset")
"""The order of rows within a file."""
MICROS_PER_HOUR = 3_600_000_000
_ROW_GROUP = 256 * 1024
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
    null counts and sizes of every column stand in the result, so that readers can skip files. Files
    left behind by a crash are orphans.

    Raises:
        WarehouseUnavailableError: the disk is full or the warehouse cannot be written.
    """
    if not sum(len(frame) for frame in frames):
        return ()
    columns = schema_to_pyarrow(table.schema())
    rows = pl.concat(frames).sort(*ORDER) if len(frames) > 1 else frames[0].sort(*ORDER)
    arrow = rows.select(columns.names).to_arrow(compat_level=pl.CompatLevel.oldest())
    sound = arrow.cast(columns)
    with named_errors(".".join(table.name())):
        return tuple(_write(table, hour, part) for hour, part in _parts(sound, target_bytes))


def _parts(rows: pa.Table, target_bytes: int) -> Iterator[tuple[int, pa.Table]]:
    times = rows.column("_event_time").combine_chunks().cast(pa.int64()).to_numpy()
    hours = times // MICROS_PER_HOUR
    most = max(1, int(target_bytes / _COMPRESSION / (rows.nbytes / rows.num_rows)))
    cuts = [0, *(np.flatnonzero(np.diff(hours)) + 1).tolist(), rows.num_rows]
    for start, end in itertools.pairwise(cuts):
        # Equal parts rather than full ones and a rest.
        files = -(-(end - start) // most)
        size = -(-(end - start) // files)
        for begin in range(start, end, size):
            yield int(hours[start]), rows.slice(begin, min(size, end - begin))


def _write(table: Table, hour: int, rows: pa.Table) -> DataFile:
    metadata = table.metadata
    schema, spec = table.schema(), table.spec()
    key = PartitionKey([PartitionFieldValue(spec.fields[0], hour)], spec, schema)
    where = load_location_provider(metadata.location, metadata.properties)
    path = where.new_data_location(f"{uuid.uuid4()}.parquet", key)
    out = table.io.new_output(path)
    with (
        out.create(overwrite=True) as stream,
        pq.ParquetWriter(
            stream,
            rows.schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=_repeated(rows),
            write_page_index=True,
            store_decimal_as_integer=True,
        ) as writer,
    ):
        writer.write(rows, row_group_size=_ROW_GROUP)
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=writer.writer.metadata,
        stats_columns=compute_statistics_plan(schema, metadata.properties),
        parquet_column_mapping=parquet_path_to_id_mapping(schema),
    )
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


def _repeated(rows: pa.Table) -> list[str]:
    """Return the columns worth a dictionary: those whose values repeat in a sample."""
    sample = rows.slice(0, _SAMPLE)
    limit = max(1, int(sample.num_rows * _REPEATED))
    return [
        name
        for name, column in zip(sample.column_names, sample.columns, strict=True)
        if not pa.types.is_nested(column.type)
        and not pa.types.is_boolean(column.type)
        and pc.count_distinct(column, mode="all").as_py() <= limit
    ]
