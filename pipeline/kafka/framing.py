"""Finding the records within uncompressed batches. Compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.avro.varint import read_long
from pipeline.native import compiled

LATEST = (2**63 - 1) // 1000
"""The last time, in milliseconds, that is a time in microseconds too; `-LATEST` is the first."""
KEPT_HEADERS = ("traceparent", "producer", "job_id")
"""Headers that events have a column for."""
ORIGIN_HEADER = "headwater-origin"
"""Of a replayed record: where the record stood that became a dead letter."""
REPLAY_HEADER = "headwater-replay-id"
"""Of a replayed record: what replayed it."""
HEADERS = (*KEPT_HEADERS, ORIGIN_HEADER, REPLAY_HEADER)
"""Headers whose values are found, in this order."""


@compiled
def find_records(
    data: Any,
    ends: Any,
    base_offsets: Any,
    last_offsets: Any,
    base_times: Any,
    append_times: Any,
    counts: Any,
    lows: Any,
    highs: Any,
    names: Any,
    name_ends: Any,
    batch: Any,
    offset: Any,
    time: Any,
    key: Any,
    value: Any,
    headers: Any,
    header_values: Any,
) -> int:
    """Fill in where each wanted record's parts are; return how many, or -1 - section if it is malformed.

    Section k is data[ends[k - 1] : ends[k]]. `key`, `value` (rows of start and length, length -1 for
    null), `headers` (start and number) and `header_values[name]` (start and length, -1 absent or null;
    the last of a name counts) are places in `data`. Every length must agree with every other, and the
    section must end with its last record. A time beyond `LATEST` is `LATEST`.
    """
    found = 0
    pos = 0
    for k in range(ends.shape[0]):
        end = ends[k]
        previous = -1
        for _ in range(counts[k]):
            length, pos = read_long(data, pos, end)
            if pos < 0 or length < 0 or length > end - pos:
                return -1 - k
            stop = pos + length
            pos += 1
            delta, pos = read_long(data, pos, stop) if pos <= stop else (0, -1)
            if pos < 0:
                return -1 - k
            step, pos = read_long(data, pos, stop)
            if pos < 0 or step <= previous or base_offsets[k] + step > last_offsets[k]:
                return -1 - k
            previous = step
            at = base_offsets[k] + step
            if at < lows[k] or at >= highs[k]:
                pos = stop
                continue
            batch[found] = k
            offset[found] = at
            if append_times[k] >= 0:
                time[found] = min(append_times[k], LATEST)
            else:
                time[found] = sum_of_times(base_times[k], delta)
            size, pos = read_long(data, pos, stop)
            if pos < 0 or size < -1 or size > stop - pos:
                return -1 - k
            key[found, 0], key[found, 1] = pos, size
            pos += max(size, 0)
            size, pos = read_long(data, pos, stop)
            if pos < 0 or size < -1 or size > stop - pos:
                return -1 - k
            value[found, 0], value[found, 1] = pos, size
            pos += max(size, 0)
            number, pos = read_long(data, pos, stop)
            if pos < 0 or number < 0 or number > stop - pos:
                return -1 - k
            headers[found, 0], headers[found, 1] = pos, number
            for name in range(header_values.shape[0]):
                header_values[name, found, 1] = -1
            for _h in range(number):
                size, pos = read_long(data, pos, stop)
                if pos < 0 or size < 0 or size > stop - pos:
                    return -1 - k
                start = pos
                pos += size
                length, pos = read_long(data, pos, stop)
                if pos < 0 or length < -1 or length > stop - pos:
                    return -1 - k
                name = which(data, start, size, names, name_ends)
                if name >= 0:
                    header_values[name, found, 0] = pos
                    header_values[name, found, 1] = length
                pos += max(length, 0)
            if pos != stop:
                return -1 - k
            found += 1
        if pos != end:
            return -1 - k
    return found


@compiled
def sum_of_times(base: int, delta: int) -> int:
    """Return base + delta, within `LATEST`."""
    total = base + delta
    # Machine integers wrap around: then the sum's sign is not that of its parts.
    if base >= 0 and delta >= 0 and total < 0:
        return LATEST
    if base < 0 and delta < 0 and total >= 0:
        return -LATEST
    return max(min(total, LATEST), -LATEST)


@compiled
def which(data: Any, start: int, size: int, names: Any, name_ends: Any) -> int:
    """Return which of `names` stands at `start`, -1 if none."""
    begin = 0
    for k in range(name_ends.shape[0]):
        if name_ends[k] - begin == size:
            same = True
            for at in range(size):
                if data[start + at] != names[begin + at]:
                    same = False
                    break
            if same:
                return k
        begin = name_ends[k]
    return -1


@compiled
def views(data: Any, spans: Any, slots: Any, valid: Any) -> None:
    """Write a view of each span (start, length) in Arrow's layout; a length of -1 is a null."""
    for i in range(spans.shape[0]):
        start, size = spans[i, 0], spans[i, 1]
        valid[i] = size >= 0
        for k in range(4):
            slots[i, k] = 0
        if size < 0:
            continue
        slots[i, 0] = size
        inline = size if size <= 12 else 4
        for k in range(inline):
            slots[i, 1 + (k >> 2)] |= np.int32(data[start + k]) << np.int32(8 * (k & 3))
        if size > 12:
            slots[i, 3] = start
