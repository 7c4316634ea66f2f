"""Record batches of format 2, as a fetch returns them: checked, and classified."""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import kafka.codec
from crc32c import crc32c

from pipeline.errors import TerminalError

_HEADER = struct.Struct(">qiibIhiqqqhii")
_PREFIX = struct.Struct(">qiibI")
_LENGTH_ENDS = 12
_CONTROL, _TRANSACTIONAL, _APPEND_TIME, _CODEC = 0x20, 0x10, 0x08, 0x07
_ABORT = 0
_LAST_OFFSET = 2**63 - 2
_MAGIC = 2
_CODECS: dict[int, Callable[[memoryview], bytes]] = {
    1: kafka.codec.gzip_decode,
    2: kafka.codec.snappy_decode,
    3: kafka.codec.lz4_decode,
    4: kafka.codec.zstd_decode,
}


class RecordsCorruptError(TerminalError):
    """A record batch does not match its checksum, or cannot be parsed."""


class RecordFormatError(TerminalError):
    """A record batch is of a format from before Kafka 0.11."""


class GapKind(enum.Enum):
    """Why an offset holds no record for a reader."""

    CONTROL = "control"
    """A transaction's marker."""
    ABORTED = "aborted"
    """A record of an aborted transaction."""


class BatchSlice(NamedTuple):
    """The records of one batch, of which those in [low, high) are wanted.

    `base_time` and `append_time` are in milliseconds; `append_time` is -1 where record times are the
    producer's.
    """

    partition: int
    base_offset: int
    last_offset: int
    base_time: int
    append_time: int
    number: int
    low: int
    high: int
    codec: int
    packed: memoryview

    def records(self) -> bytes | memoryview:
        """Return the records, uncompressed; where they are, if they are not compressed.

        Raises:
            RecordsCorruptError: they cannot be uncompressed.
        """
        return _uncompressed(self.partition, self.base_offset, self.codec, self.packed)


class Gap(NamedTuple):
    """Offsets [low, high) that hold no record for a reader, by the evidence of a batch."""

    partition: int
    kind: GapKind
    low: int
    high: int


@dataclass
class FetchedRange:
    """What became of the offsets [start, end) of one partition that a fetch has passed.

    `items` are in the order of their offsets; an offset of the range that no item covers, or that a
    section covers and has no record of, is not there: compaction removed it.
    """

    partition: int
    start: int
    end: int
    items: list[BatchSlice | Gap] = field(default_factory=list)


def parse_batches(
    partition: int,
    data: bytes | memoryview,
    start: int,
    end: int,
    aborted: Iterable[tuple[int, int]],
) -> FetchedRange:
    """Return what the batches `data` of one fetch from `start` say of the offsets [start, end).

    `aborted` are the response's (producer id, first offset) of transactions that were aborted. A
    partial batch at the end of `data` is left for the next fetch. The result's `end` is the first
    offset that was not passed.

    Raises:
        RecordsCorruptError: a checksum is wrong, a marker cannot be read, or a batch says that it
            ends before it begins.
        RecordFormatError: a batch of format 0 or 1.
    """
    passed = FetchedRange(partition, start, start)
    waiting = sorted(aborted, key=lambda one: one[1])
    discarding: set[int] = set()
    for head, body in _batches(partition, memoryview(data)):
        base, attributes = head[0], head[5]
        last = base + head[6]
        if not 0 <= base <= last <= _LAST_OFFSET:
            raise corrupt(partition, base, f"says that it ends at offset {last}")
        while waiting and waiting[0][1] <= last:
            discarding.add(waiting.pop(0)[0])
        low, high = max(base, start), min(last + 1, end)
        producer = head[9]
        kind = None
        if attributes & _CONTROL:
            kind = GapKind.CONTROL
            # Compaction keeps a marker's batch without the marker, for its producer's sequence.
            if head[12] and _is_abort(
                partition, base, _uncompressed(partition, base, attributes & _CODEC, body)
            ):
                discarding.discard(producer)
        elif attributes & _TRANSACTIONAL and producer in discarding:
            kind = GapKind.ABORTED
        elif low < high and head[12]:
            passed.items.append(
                BatchSlice(
                    partition=partition,
                    base_offset=base,
                    last_offset=last,
                    base_time=head[7],
                    append_time=head[8] if attributes & _APPEND_TIME else -1,
                    number=head[12],
                    low=low,
                    high=high,
                    codec=attributes & _CODEC,
                    packed=body,
                )
            )
        if kind is not None and low < high:
            passed.items.append(Gap(partition, kind, low, high))
        passed.end = max(passed.end, min(last + 1, end))
        if last + 1 >= end:
            break
    return passed


def _batches(partition: int, data: memoryview) -> Iterator[tuple[Sequence[int], memoryview]]:
    place = 0
    while len(data) - place >= _PREFIX.size:
        base, length, _, magic, crc = _PREFIX.unpack_from(data, place)
        if magic != _MAGIC:
            raise RecordFormatError(
                f"the batch at offset {base} is of record format {magic}.",
                subject=f"partition {partition}",
                remedy="Copy the topic with a client of Kafka 0.11 or newer, which writes format 2.",
            )
        stop = place + _LENGTH_ENDS + length
        if stop > len(data):
            return
        if length < _HEADER.size - _LENGTH_ENDS or crc32c(data[place + _PREFIX.size : stop]) != crc:
            raise corrupt(partition, base, "does not match its checksum")
        yield _HEADER.unpack_from(data, place), data[place + _HEADER.size : stop]
        place = stop


def corrupt(partition: int, base: int, what: str) -> RecordsCorruptError:
    """Return the error that says `what` of the batch at offset `base`."""
    return RecordsCorruptError(
        f"the record batch at offset {base} {what}.",
        subject=f"partition {partition}",
        remedy="Restore the partition from a replica, or accept the loss of its offsets.",
    )


def _uncompressed(partition: int, base: int, codec: int, body: memoryview) -> bytes | memoryview:
    if codec == 0:
        return body
    if codec not in _CODECS:
        raise corrupt(partition, base, f"is compressed by an unknown codec, {codec}")
    try:
        return _CODECS[codec](body)
    except Exception as error:  # Each codec's library has errors of its own.
        raise corrupt(
            partition, base, f"cannot be uncompressed ({type(error).__name__}: {error})"
        ) from error


def _is_abort(partition: int, base: int, records: bytes | memoryview) -> bool:
    """Return whether a control batch's one record says that its transaction was aborted."""
    # Varints up to the key: length, attributes (always one byte), time, offset, key length.
    place = 0
    try:
        for _ in range(5):
            while records[place] & 0x80:
                place += 1
            place += 1
    except IndexError:
        raise corrupt(partition, base, "is a marker that cannot be read") from None
    kind = bytes(records[place + 2 : place + 4])
    if len(kind) < 2:
        raise corrupt(partition, base, "is a marker that cannot be read")
    return int.from_bytes(kind, "big") == _ABORT
