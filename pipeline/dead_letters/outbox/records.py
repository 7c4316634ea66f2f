"""Records that are to go back to their topic, as ingest has records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.kafka.framing import HEADERS
from pipeline.kafka.records import RawRecord, Records

Ints = npt.NDArray[np.int64]


def records_of(raw: Sequence[RawRecord]) -> Records:
    """Return records in columns, in their order; each as `Records.record` gives it again."""
    held = _Bytes()
    keys = held.add(record.key for record in raw)
    values = held.add(record.value for record in raw)
    header_values = np.full((len(HEADERS), len(raw), 2), -1, np.int64)
    blocks: list[bytes] = []
    for number, record in enumerate(raw):
        block = bytearray()
        for name, value in record.headers:
            encoded = name.encode()
            block += _varint(len(encoded)) + encoded
            block += _varint(-1 if value is None else len(value))
            if name in HEADERS:
                place = held.size + len(block)
                span = (place, -1 if value is None else len(value))
                header_values[HEADERS.index(name), number] = span
            block += value or b""
        held.size += len(block)
        blocks.append(bytes(block))
    sizes = np.array([len(block) for block in blocks], np.int64)
    counts = np.array([len(record.headers) for record in raw], np.int64)
    starts = held.size - int(sizes.sum()) + np.cumsum(sizes) - sizes
    return Records(
        data=np.frombuffer(b"".join([*held.parts, *blocks]), np.uint8),
        partition=np.array([record.partition for record in raw], np.int32),
        offset=np.array([record.offset for record in raw], np.int64),
        time=np.array([record.record_time for record in raw], np.int64),
        keys=keys,
        values=values,
        _headers=np.stack([starts, counts], axis=1),
        _header_values=header_values,
    )


class _Bytes:
    """Bytes one after the other."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, many: Iterable[bytes | None]) -> Ints:
        """Return place and length of each, a length of -1 of None."""
        every = list(many)
        lengths = np.array([-1 if one is None else len(one) for one in every], np.int64)
        taken = np.maximum(lengths, 0)
        starts = self.size + np.cumsum(taken) - taken
        self.parts += [one for one in every if one]
        self.size += int(taken.sum())
        return np.stack([starts, lengths], axis=1)


def _varint(number: int) -> bytes:
    """Return an integer as the headers of Kafka's records have it."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
