"""Record values in bulk: encoded once, and then only uuid, time and score stamped into the bytes."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fastavro
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Micros = npt.NDArray[np.int64]

UUID_MARK = "5eed5eed-5eed-45ee-85ee-5eed5eed5eed"
TIME_MARK = 1_599_999_999_999_999
"""What values are encoded with, to be found and replaced."""
TIME_BYTES = 8
EARLIEST, LATEST = 1 << 48, (1 << 55) - 1
"""Microseconds since the epoch whose Avro form has `TIME_BYTES` bytes: 1978 to 3111."""
_HEX = np.frombuffer("".join(f"{n:02x}" for n in range(256)).encode(), np.uint8).reshape(256, 2)
_UUID_PLACES = np.array([i for i in range(36) if i not in (8, 13, 18, 23)])


@dataclass(frozen=True)
class Templates:
    """Values of one length that differ in everything but where uuid, times and score stand.

    Attributes:
        rows: one value a row.
        keys: the record key of each row.
        uuid_at, times_at, score_at: first byte of each; there may be no score.
    """

    rows: Bytes
    keys: tuple[bytes, ...]
    uuid_at: int
    times_at: tuple[int, ...]
    score_at: int | None

    @property
    def value_bytes(self) -> int:
        """Length of every value."""
        return int(self.rows.shape[1])

    def stamped(
        self, which: npt.NDArray[np.intp], times: Micros, rng: np.random.Generator
    ) -> bytes:
        """Return one value a time, end to end: row `which[i]` at `times[i]`, with a new random uuid.

        Raises:
            ValueError: a time is not in `EARLIEST`..`LATEST`.
        """
        out = self.rows[which]
        text = _HEX[np.frombuffer(rng.bytes(16 * len(times)), np.uint8)].reshape(-1, 32)
        text[:, 12], text[:, 16] = ord("4"), ord("8")
        out[:, self.uuid_at + _UUID_PLACES] = text
        encoded = encoded_times(times)
        for at in self.times_at:
            out[:, at : at + TIME_BYTES] = encoded
        if self.score_at is not None:
            scores = rng.random(len(times)).view(np.uint8).reshape(-1, 8)
            out[:, self.score_at : self.score_at + 8] = scores
        return out.tobytes()


def encoded_times(times: Micros) -> Bytes:
    """Return the Avro form of each time, one a row.

    Raises:
        ValueError: a time is not in `EARLIEST`..`LATEST`.
    """
    if len(times) and not (times.min() >= EARLIEST and times.max() <= LATEST):
        raise ValueError("a time takes another number of bytes")
    zigzag = (times.astype(np.uint64) << np.uint64(1))[:, None]
    shifts = np.arange(0, 7 * TIME_BYTES, 7, dtype=np.uint64)
    groups = ((zigzag >> shifts) & np.uint64(0x7F)).astype(np.uint8)
    groups[:, :-1] |= 0x80
    return groups


def templates(values: Sequence[bytes], keys: Sequence[bytes], score: float | None) -> Templates:
    """Find the marks in values that were encoded with `UUID_MARK`, `TIME_MARK` and `score`.

    Raises:
        ValueError: the values have several lengths, or their marks stand in several places.
    """
    time_mark = encoded_times(np.array([TIME_MARK])).tobytes()
    places = {
        (
            len(value),
            tuple(_all(value, UUID_MARK.encode())),
            tuple(_all(value, time_mark)),
            tuple(_all(value, np.float64(score).tobytes())) if score is not None else (),
        )
        for value in values
    }
    if len(places) != 1:
        raise ValueError(f"values of {len(places)} shapes, not of one")
    length, uuids, times, scores = places.pop()
    if len(uuids) != 1 or not times or len(scores) > 1:
        raise ValueError("a mark is missing, or stands several times")
    rows = np.frombuffer(b"".join(values), np.uint8).reshape(-1, length)
    return Templates(rows, tuple(keys), uuids[0], times, scores[0] if scores else None)


def encoder(schema: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bytes]:
    """Return what encodes values of `schema` as Avro binary."""
    parsed = fastavro.parse_schema(dict(schema))

    def encode(value: Mapping[str, Any]) -> bytes:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, value)
        return out.getvalue()

    return encode


def words(chosen: random.Random, length: int) -> str:
    """Return text of `length` characters that compresses about as prose does."""
    text = ""
    while len(text) < length:
        text += f"{chosen.choice(_WORDS)} "
    return text[:length]


_WORDS = (
    "river",
    "stream",
    "table",
    "record",
    "event",
    "hour",
    "offset",
    "topic",
    "valley",
    "stone",
)


def _all(value: bytes, mark: bytes) -> list[int]:
    found = []
    at = value.find(mark)
    while at >= 0:
        found.append(at)
        at = value.find(mark, at + 1)
    return found
