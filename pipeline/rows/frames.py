"""Arrow's tables as Polars frames."""

from __future__ import annotations

import polars as pl
import pyarrow as pa


def to_frame(table: pa.Table) -> pl.DataFrame:
    """Return `table` as a frame, without a copy where the memory layouts agree."""
    frame = pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame
