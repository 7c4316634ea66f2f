"""Arrow's tables and arrays as Polars has them."""

from __future__ import annotations

import polars as pl
import pyarrow as pa


def to_frame(table: pa.Table) -> pl.DataFrame:
    """Return `table` as a frame, without a copy where the memory layouts agree."""
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame


def to_series(array: pa.Array) -> pl.Series:
    """Return `array` as a series, without a copy where the memory layouts agree."""
    series = pl.from_arrow(array)
    if not isinstance(series, pl.Series):
        raise TypeError("an array becomes a series")
    return series
