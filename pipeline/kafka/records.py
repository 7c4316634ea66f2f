"""The records of some batches, in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.kafka.framing import HEADERS, find_records, views
from pipeline.kafka.record_batches import BatchSlice, corrupt
from pipeline.kafka.uncompressed import UncompressedRecords

Ints = npt.NDArray[np.int64]
NO_TIMESTAMP = -1000
"""The time of a record that has none, in microseconds: Kafka's -1 ms."""
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The first and the last microsecond of years 1 to 9999, which readers of tables can have."""
_NAMES = np.frombuffer("".join(HEADERS).encode(), np.uint8)
_NAME_ENDS = np.cumsum([len(name) for name in HEADERS]).astype(np.int64)


@dataclass(frozen=True)
class RawRecord:
    """What Kafka holds at one offset. `record_time` is in microseconds since the epoch."""

    partition: int
    offset: int
    record_time: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True)
class Records:
    """Records in columns, in the order of their batches and offsets.

    Attributes:
        data: what all places are within.
        partition, offset, time: one a record; `time` in microseconds since the epoch.
        keys, values: rows of (place, length), a length of -1 for null.
    """

    data: npt.NDArray[np.uint8]
    partition: npt.NDArray[np.int32]
    offset: Ints
    time: Ints
    keys: Ints
    values: Ints
    _headers: Ints
    _header_values: Ints

    def __len__(self) -> int:
        return len(self.offset)

    def take(self, rows: Ints) -> Records:
        """Return the records numbered `rows`, in their order; the bytes are shared."""
        return Records(
            data=self.data,
            partition=self.partition[rows],
            offset=self.offset[rows],
            time=self.time[rows],
            keys=self.keys[rows],
            values=self.values[rows],
            _headers=self._headers[rows],
            _header_values=self._header_values[:, rows],
        )

    def record(self, number: int) -> RawRecord:
        """Return one record whole."""
        return RawRecord(
            partition=int(self.partition[number]),
            offset=int(self.offset[number]),
            record_time=int(self.time[number]),
            key=self._bytes(self.keys[number]),
            value=self._bytes(self.values[number]),
            headers=tuple(self._all_headers(number)),
        )

    def text(self, spans: Ints) -> pa.Array:
        """Return spans of `data` as a column that shares it. NOT checked to be UTF-8."""
        slots = np.empty((len(spans), 4), np.int32)
        valid = np.empty(len(spans), np.uint8)
        views(self.data, spans, slots, valid)
        bits = pa.py_buffer(np.packbits(valid, bitorder="little"))
        buffers = [bits, pa.py_buffer(slots), pa.py_buffer(self.data)]
        return pa.Array.from_buffers(pa.binary_view(), len(spans), buffers)

    def header(self, name: str, rows: Ints) -> pa.Array:
        """Return the last value of one of HEADERS of the records numbered `rows`, null for none."""
        return self.text(self._header_values[HEADERS.index(name)][rows])

    def with_header(self, name: str) -> Ints:
        """Return the numbers of the records that have a value under one of HEADERS."""
        return np.flatnonzero(self._header_values[HEADERS.index(name), :, 1] >= 0)

    def _bytes(self, span: Ints) -> bytes | None:
        start, size = span.tolist()
        return None if size < 0 else self.data[start : start + size].tobytes()

    def _all_headers(self, number: int) -> Iterable[tuple[str, bytes | None]]:
        place, count = self._headers[number].tolist()
        data = self.data
        for _ in range(count):
            size, place = _varint(data, place)
            key = data[place : place + size].tobytes().decode("utf-8", "replace")
            size, place = _varint(data, place + size)
            value = None if size < 0 else data[place : place + size].tobytes()
            yield key, value
            place += max(size, 0)


def frame(slices: Sequence[BatchSlice], uncompressed: UncompressedRecords) -> Records:
    """Find the wanted records of `slices`; `uncompressed` has their `records()`, in the same order.

    Raises:
        RecordsCorruptError: a batch's records do not add up to its lengths.
    """
    data, sizes = uncompressed.data, uncompressed.sizes
    counts = np.array([s.number for s in slices], np.int64)
    # A batch that lies about its count must not make room for it: a record takes 7 bytes.
    room = min(int(np.maximum(counts, 0).sum()), len(data) // 7)
    if (counts < 0).any() or int(counts.sum()) > room:
        liar = next(
            s for s, size in zip(slices, sizes, strict=True) if not 0 <= s.number <= size // 7
        )
        raise corrupt(liar.partition, liar.base_offset, f"claims {liar.number} records")
    batch, offset, time = (np.empty(room, np.int64) for _ in range(3))
    key, value, headers = (np.empty((room, 2), np.int64) for _ in range(3))
    header_values = np.empty((len(HEADERS), room, 2), np.int64)
    found = find_records(
        data,
        np.cumsum(sizes, dtype=np.int64),
        np.array([s.base_offset for s in slices], np.int64),
        np.array([s.last_offset for s in slices], np.int64),
        np.array([s.base_time for s in slices], np.int64),
        np.array([s.append_time for s in slices], np.int64),
        counts,
        np.array([s.low for s in slices], np.int64),
        np.array([s.high for s in slices], np.int64),
        _NAMES,
        _NAME_ENDS,
        batch,
        offset,
        time,
        key,
        value,
        headers,
        header_values,
    )
    if found < 0:
        bad = slices[-1 - found]
        raise corrupt(bad.partition, bad.base_offset, "has records that do not fit their lengths")
    partitions = np.array([s.partition for s in slices], np.int32)
    return Records(
        data=data,
        partition=partitions[batch[:found]],
        offset=offset[:found],
        time=time[:found] * 1000,
        keys=key[:found],
        values=value[:found],
        _headers=headers[:found],
        _header_values=header_values[:, :found],
    )


def records_in(slices: Sequence[BatchSlice]) -> Records:
    """Uncompress `slices` and find their wanted records.

    Raises:
        RecordsCorruptError: as `frame`, or a batch cannot be uncompressed.
    """
    pieces = [batch.records() for batch in slices]
    uncompressed = UncompressedRecords(sum(len(piece) for piece in pieces))
    for piece in pieces:
        uncompressed.add(piece)
    return frame(slices, uncompressed)


def _varint(data: npt.NDArray[np.uint8], place: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = int(data[place])
        result |= (byte & 0x7F) << shift
        place += 1
        shift += 7
        if byte < 0x80:
            return (result >> 1) ^ -(result & 1), place
