"""De-duplication by uuid within an event-time hour, exact, over batches and restarts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pyarrow as pa
from pyiceberg.table import Table

from pipeline.ingest.uuid_set import UuidSet, words_of

MICROS_PER_HOUR = 3_600_000_000
DEFAULT_BYTES = 512 * 2**20


class Deduplicator:
    """Knows the uuids of an events table, hour by hour.

    A redelivered event carries its own uuid and timestamp, so its twin is in the same event-time
    hour. The uuids of each hour touched are kept in memory (see `UuidSet`: 21 to 43 MB for a million
    events of an open hour); the least recently touched hours are forgotten beyond `capacity` bytes
    when a batch is done, and read from the table again when needed.

    NOT found: an event sent again under another timestamp that falls in another hour.
    Not safe for use by several threads.
    """

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        self._capacity = capacity
        self._hours: OrderedDict[int, UuidSet] = OrderedDict()

    def forget(self) -> None:
        """Drop everything known: a batch was not committed, or somebody else changed the table."""
        self._hours.clear()

    def split(self, frame: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return (`frame` without duplicates, the duplicates), each in order.

        The first of several twins stays, unless `table` has one already. What stays is known from now
        on: when it is not committed after all, `forget`. `table` must be as of the last commit.
        """
        if frame.is_empty():
            return frame, frame
        hours = frame.get_column("_event_time").dt.epoch("us").to_numpy() // MICROS_PER_HOUR
        words = words_of(frame.get_column("_uuid"))
        fresh = np.empty(len(frame), np.bool_)
        touched = np.unique(hours).tolist()
        self._load([hour for hour in touched if hour not in self._hours], table)
        for hour in touched:
            self._hours.move_to_end(hour)
            if len(touched) == 1:
                fresh = self._hours[hour].add(words)
            else:
                mine = np.flatnonzero(hours == hour)
                fresh[mine] = self._hours[hour].add(words[mine])
        if fresh.all():
            return frame, frame.clear()
        return frame.filter(fresh), frame.filter(~fresh)

    def trim(self) -> None:
        """Forget hours beyond the capacity. Only between batches: all that is known is committed."""
        size = sum(known.bytes for known in self._hours.values())
        while size > self._capacity and self._hours:
            size -= self._hours.popitem(last=False)[1].bytes

    def _load(self, hours: list[int], table: Table) -> None:
        if not hours:
            return
        for hour in hours:
            self._hours[hour] = UuidSet()
        for rows in _read(table, hours):
            keyed = rows.with_columns(
                __hour=pl.col("_event_time").dt.epoch("us").floordiv(MICROS_PER_HOUR)
            )
            for (hour,), group in keyed.group_by("__hour"):
                self._hours[int(str(hour))].add(words_of(group.get_column("_uuid")))


def _read(table: Table, hours: list[int]) -> Iterator[pl.DataFrame]:
    """Yield `_uuid` and `_event_time` of the rows of `hours` (hours since the epoch, sorted)."""
    spans: list[list[int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1][1] = hour + 1
        else:
            spans.append([hour, hour + 1])
    wanted = " or ".join(
        f"(_event_time >= '{_iso(start)}' and _event_time < '{_iso(end)}')" for start, end in spans
    )
    scan = table.scan(row_filter=wanted, selected_fields=("_uuid", "_event_time"))
    for batch in scan.to_arrow_batch_reader():
        frame = pl.from_arrow(pa.table(batch))
        if not isinstance(frame, pl.DataFrame):
            raise TypeError("a table becomes a frame")
        yield frame


def _iso(hour: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=hour)).isoformat()
