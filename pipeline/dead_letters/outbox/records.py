"""Rows that hold records, as ingest has records."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kafka.framing import HEADERS, which
from pipeline.kafka.records import Records
from pipeline.native import compiled

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

_NAMES = np.frombuffer("".join(HEADERS).encode(), np.uint8)
_NAME_ENDS = np.cumsum([len(name) for name in HEADERS]).astype(np.int64)
_LENGTHS = 20
"""Bytes that the two lengths of a header take at most."""


def records_of(rows: pa.Table, time: int) -> Records:
    """Return the records of rows, in their order; each has the time `time`, in microseconds since the epoch.

    Rows have `_topic_partition`, `_offset`, `record_key`, `record_value` and `headers`, as dead letters do.
    """
    keys, key_spans = _texts(_whole(rows.column("record_key")), 0)
    values, value_spans = _texts(_whole(rows.column("record_value")), len(keys))
    headers = _whole(rows.column("headers"))
    counts = headers.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = headers.flatten()
    names, name_spans = _texts(flat.field("key"), 0)
    told, told_spans = _texts(flat.field("value"), 0)
    out = np.empty(len(names) + len(told) + _LENGTHS * len(flat), np.uint8)
    places = np.empty(len(rows), np.int64)
    header_values = np.full((len(HEADERS), len(rows), 2), -1, np.int64)
    size = _write_headers(
        counts, names, name_spans, told, told_spans, out, len(keys) + len(values), places,
        header_values, _NAMES, _NAME_ENDS,
    )  # fmt: skip
    return Records(
        data=np.concatenate([keys, values, out[:size]]),
        partition=rows.column("_topic_partition").to_numpy().astype(np.int32),
        offset=rows.column("_offset").to_numpy().astype(np.int64),
        time=np.full(len(rows), time, np.int64),
        keys=key_spans,
        values=value_spans,
        _headers=np.stack([places, counts], axis=1),
        _header_values=header_values,
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()


def _texts(array: pa.Array, base: int) -> tuple[Bytes, Ints]:
    """Return the bytes of texts, and of each its place from `base` on and its length, -1 of null."""
    large = array.cast(pa.large_binary())
    _, offsets, data = large.buffers()
    ends = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
    held = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    begin = int(ends[0]) if len(ends) else 0
    held = held[begin : int(ends[-1]) if len(ends) else 0]
    lengths = np.diff(ends)
    lengths[~large.is_valid().to_numpy(zero_copy_only=False)] = -1
    return held, np.stack([base + ends[:-1] - begin, lengths], axis=1)


@compiled
def _write_headers(
    counts: Any,
    names: Any,
    name_spans: Any,
    told: Any,
    told_spans: Any,
    out: Any,
    base: int,
    places: Any,
    header_values: Any,
    known: Any,
    known_ends: Any,
) -> int:
    """Write each record's headers to `out`, which is at `base`; return how many bytes that is."""
    at = 0
    entry = 0
    for row in range(len(counts)):
        places[row] = base + at
        for _ in range(counts[row]):
            start, size = name_spans[entry, 0], name_spans[entry, 1]
            at = _write_varint(out, at, max(size, 0))
            for k in range(size):
                out[at + k] = names[start + k]
            at += max(size, 0)
            begin, length = told_spans[entry, 0], told_spans[entry, 1]
            at = _write_varint(out, at, length)
            name = which(names, start, size, known, known_ends)
            if name >= 0:
                header_values[name, row, 0] = base + at
                header_values[name, row, 1] = length
            for k in range(length):
                out[at + k] = told[begin + k]
            at += max(length, 0)
            entry += 1
    return at


@compiled
def _write_varint(out: Any, at: int, number: int) -> int:
    rest = (number << 1) ^ (number >> 63)
    while rest > 0x7F:
        out[at] = (rest & 0x7F) | 0x80
        rest >>= 7
        at += 1
    out[at] = rest
    return at + 1
