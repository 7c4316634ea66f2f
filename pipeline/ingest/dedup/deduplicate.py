"""De-duplication by uuid within an event-time hour, exact, over batches and restarts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from pyiceberg.expressions import parser
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.table import FileScanTask, Table

from pipeline.ingest.dedup.spill import SpillFile
from pipeline.ingest.dedup.uuid_hash import uuid_words
from pipeline.ingest.dedup.uuid_set import UuidSet
from pipeline.rows.frames import to_frame
from pipeline.tables.integrity.reading import reading

MICROS_PER_HOUR = 3_600_000_000
DEFAULT_BYTES = 512 * 2**20
_READ_BYTES = 512
"""Of the capacity, for each row that is read from the table together with others."""
_WASTE = 4


class Deduplicator:
    """Knows the uuids of an events table, hour by hour.

    A redelivered event carries its own uuid and timestamp, so its twin is in the same event-time
    hour. The uuids of the hours touched are kept in `capacity` bytes of memory (see `UuidSet`: 20 to 28
    MB for a million). Beyond it the least recently touched are written to a temporary file, where
    looking them up takes longer. Between batches hours beyond it are forgotten that the last batch did
    not touch; they are read from the table again when needed.

    NOT found: an event sent again under another timestamp that falls in another hour.
    Not safe for use by several threads.
    """

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        self._capacity = capacity
        self._hours: OrderedDict[int, UuidSet] = OrderedDict()
        self._touched: set[int] = set()
        self._spilled = SpillFile()

    @property
    def bytes(self) -> int:
        """Memory that known uuids take."""
        return sum(known.bytes for known in self._hours.values())

    def forget(self) -> None:
        """Drop everything known: a batch was not committed, or somebody else changed the table."""
        self._hours.clear()
        self._touched.clear()
        self._spilled.clear()

    def split(self, frame: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return (`frame` without duplicates, the duplicates), each in order.

        The first of several twins stays, unless `table` has one already. What stays is known from now
        on: when it is not committed after all, `forget`. `table` must be as of the last commit.
        """
        if frame.is_empty():
            return frame, frame
        hours = frame.get_column("_event_time").dt.epoch("us").to_numpy() // MICROS_PER_HOUR
        words = uuid_words(frame.get_column("_uuid"))
        fresh = np.empty(len(frame), np.bool_)
        touched = np.unique(hours).tolist()
        self._touched.update(touched)
        self._load([hour for hour in touched if hour not in self._hours], table)
        for hour in touched:
            self._hours.move_to_end(hour)
            if len(touched) == 1:
                fresh = self._hours[hour].add(words)
            else:
                mine = np.flatnonzero(hours == hour)
                fresh[mine] = self._hours[hour].add(words[mine])
        self._make_room()
        if fresh.all():
            return frame, frame.clear()
        return frame.filter(fresh), frame.filter(~fresh)

    def trim(self) -> None:
        """Begin another batch: all that is known is committed, and may be forgotten from now on."""
        size = sum(known.bytes + known.written_bytes for known in self._hours.values())
        for hour in [hour for hour in self._hours if hour not in self._touched]:
            if size > self._capacity:
                known = self._hours.pop(hour)
                size -= known.bytes + known.written_bytes
        self._touched.clear()
        in_use = sum(known.written_bytes for known in self._hours.values())
        # The file keeps what is forgotten. Reading a table again is rare, and frees all of it.
        if self._spilled.bytes > _WASTE * in_use:
            self.forget()

    def _make_room(self) -> None:
        for known in self._hours.values():
            if self.bytes <= self._capacity:
                return
            known.write_out()

    def _load(self, hours: list[int], table: Table) -> None:
        if not hours:
            return
        for hour in hours:
            self._hours[hour] = UuidSet(self._spilled)
        for rows in _read(table, hours, max(1, self._capacity // _READ_BYTES)):
            keyed = rows.with_columns(
                __hour=pl.col("_event_time").dt.epoch("us").floordiv(MICROS_PER_HOUR)
            )
            for (hour,), group in keyed.group_by("__hour"):
                self._hours[int(str(hour))].add(uuid_words(group.get_column("_uuid")))
            self._make_room()


def _read(table: Table, hours: list[int], most: int) -> Iterator[pl.DataFrame]:
    """Yield `_uuid` and `_event_time` of the rows of `hours` (hours since the epoch, sorted).

    Files are read together up to `most` rows, or one that has more.
    """
    spans: list[list[int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1][1] = hour + 1
        else:
            spans.append([hour, hour + 1])
    wanted = " or ".join(
        f"(_event_time >= '{_iso(start * MICROS_PER_HOUR)}' "
        f"and _event_time <= '{_iso(end * MICROS_PER_HOUR - 1)}')"
        for start, end in spans
    )
    columns = table.schema().select("_uuid", "_event_time")
    scan = ArrowScan(table.metadata, table.io, columns, parser.parse(wanted))
    together: list[FileScanTask] = []
    with reading(table):
        for task in table.scan(row_filter=wanted).plan_files():
            if together and sum(t.file.record_count for t in (*together, task)) > most:
                yield to_frame(scan.to_table(together))
                together = []
            together.append(task)
        if together:
            yield to_frame(scan.to_table(together))


def _iso(micros: int) -> str:
    # Of the last hour of year 9999 the end has no name.
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()
