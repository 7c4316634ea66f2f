"""What a data file's columns hold at least and at most, so that readers may pass the file over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    DataFileStatistics,
    StatsAggregator,
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.schema import Schema
from pyiceberg.types import DoubleType, FloatType, StringType

_BEFORE_SURROGATES, _AFTER_SURROGATES, _LAST = 0xD7FF, 0xE000, 0x10FFFF


def statistics_of(
    written: pq.FileMetaData, schema: Schema, properties: Mapping[str, str]
) -> DataFileStatistics:
    """Return the counts, sizes and bounds of a file of `schema`.

    A column has no bounds where Parquet keeps none of some of its rows: it keeps none of values of
    more than 4 KiB, and bounds of the others alone would hide these rows from readers. `properties`
    are the table's.
    """
    paths = parquet_path_to_id_mapping(schema)
    plan = compute_statistics_plan(schema, dict(properties))
    found = data_file_statistics_from_parquet_metadata(written, plan, paths)
    bounds: dict[int, StatsAggregator] = {}
    for path, field_id in paths.items():
        known = found.column_aggregates.get(field_id)
        if known is None:
            continue
        # Of NaN alone there are no bounds, and none hold for NaN.
        is_float = isinstance(known.primitive_type, FloatType | DoubleType)
        if is_float or _is_whole(written, path):
            bounds[field_id] = _TextBounds(known) if _is_text(known) else known
    return replace(found, column_aggregates=bounds)


def next_text(text: str) -> str | None:
    """Return the least text that is more than every text beginning with `text`; None if there is none."""
    for place in reversed(range(len(text))):
        point = ord(text[place])
        if point < _LAST:
            # Between these two are no characters, but halves of them.
            after = _AFTER_SURROGATES if point == _BEFORE_SURROGATES else point + 1
            return text[:place] + chr(after)
    return None


class _TextBounds(StatsAggregator):
    """Bounds of a text column, cut to the length that `known` has them cut to."""

    def __init__(self, known: StatsAggregator) -> None:
        super().__init__(known.primitive_type, "BYTE_ARRAY", known.trunc_length)
        self.update_min(known.current_min)
        self.update_max(known.current_max)

    def max_as_bytes(self) -> bytes | None:
        most: Any = self.current_max
        if most is None or self.trunc_length is None or len(most) <= self.trunc_length:
            return None if most is None else self.serialize(most)
        above = next_text(most[: self.trunc_length])
        return None if above is None else self.serialize(above)


def _is_text(known: StatsAggregator) -> bool:
    return isinstance(known.primitive_type, StringType)


def _is_whole(written: pq.FileMetaData, path: str) -> bool:
    """Return whether every row group that has values in the column has their bounds."""
    place = next(at for at in range(written.num_columns) if written.schema.column(at).path == path)
    for group in range(written.num_row_groups):
        column = written.row_group(group).column(place)
        told = column.statistics
        if told is None or not told.has_null_count:
            return False
        if not told.has_min_max and told.null_count < column.num_values:
            return False
    return True
