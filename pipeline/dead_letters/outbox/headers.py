"""The headers of what goes back: the record's own, and those of a replay."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.dead_letters.fate import ORIGIN, PLACE
from pipeline.kafka.framing import ORIGIN_HEADER, REPLAY_HEADER
from pipeline.rows.frames import to_series
from pipeline.tables.layout import HEADERS_TYPE


def replay_headers(
    letters: pa.Table, origins: pl.DataFrame, topic_id: str, replay_id: str
) -> pa.Array:
    """Return the headers of `letters`, of which `origins` has PLACE and ORIGIN in the same order.

    Those of an earlier replay are replaced: a record that came back keeps its first origin, and when it came.
    """
    headers = letters.column("headers").combine_chunks()
    counts = headers.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    flat = headers.flatten()
    names, values = flat.field("key"), flat.field("value")
    rows, number = np.repeat(np.arange(len(headers)), counts), len(headers)
    own = pc.is_in(names, pa.array([ORIGIN_HEADER, REPLAY_HEADER])).to_numpy(zero_copy_only=False)
    kept = np.flatnonzero(~own)
    told = pa.array([ORIGIN_HEADER, REPLAY_HEADER])
    origin = _origins(letters, origins, topic_id).cast(pa.binary())
    every_name = pa.concat_arrays([names.cast(pa.string()), told])
    every_value = pa.concat_arrays(
        [values.cast(pa.binary()), origin, pa.array([replay_id.encode()])]
    )
    order = np.argsort(
        np.concatenate([rows[kept], np.arange(number), np.arange(number)]), kind="stable"
    )
    first, second = np.full(number, len(names)), np.full(number, len(names) + 1)
    name_at = np.concatenate([kept, first, second])[order]
    value_at = np.concatenate(
        [kept, len(names) + np.arange(number), np.full(number, len(names) + number)]
    )
    made = pa.StructArray.from_arrays(
        [every_name.take(pa.array(name_at)), every_value.take(pa.array(value_at[order]))],
        fields=list(HEADERS_TYPE.value_type),
    )
    lengths = np.bincount(rows[kept], minlength=number) + 2
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), made, type=HEADERS_TYPE)


def _origins(letters: pa.Table, origins: pl.DataFrame, topic_id: str) -> pa.Array:
    """Return the values of the header that says where each record stood first, and when it came."""
    came_ms = to_series(letters.column("_record_time").combine_chunks()).dt.epoch("ms")
    returned = origins.select(
        (pl.col(PLACE[0]) != pl.col(ORIGIN[0])) | (pl.col(PLACE[1]) != pl.col(ORIGIN[1]))
    ).to_series()
    if returned.any():
        # Their own time is that of a replay.
        first = [_first_time(one) for one in letters.column("headers").to_pylist()]
        came_ms = pl.Series(first, dtype=pl.Int64).zip_with(returned, came_ms)
    made = origins.select(
        pl.format(f"{topic_id}/{{}}/{{}}/{{}}", ORIGIN[0], ORIGIN[1], came_ms)
    ).to_series()
    return made.to_arrow()


def _first_time(headers: list[dict[str, object]] | None) -> int | None:
    told = {one["key"]: one["value"] for one in headers or ()}.get(ORIGIN_HEADER)
    return int(told.rpartition(b"/")[2]) if isinstance(told, bytes) else None
