"""Replayed records: where each stood when it became a dead letter, as its headers say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.kafka.framing import ORIGIN_HEADER, REPLAY_HEADER
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import FIRST, LAST, RawRecord, Records

ORIGIN_TIME = "__origin_time"
"""In a frame with replays: when the dead letter's record came, null for what is none."""
_ORIGIN = re.compile(rb"([A-Za-z0-9_-]{1,64})/(\d{1,10})/(\d{1,19})/(-?\d{1,17})")
_PARTITIONS, _OFFSETS = 2**31, 2**63
_REPLAY_ID = re.compile(rb"[\x21-\x7e]{1,64}")


class Origin(NamedTuple):
    """Where a replayed record stood first, its time in milliseconds since the epoch, and what replayed it."""

    partition: int
    offset: int
    time_ms: int
    replay_id: str


def origin_header(topic_id: str, partition: int, offset: int, time_ms: int) -> bytes:
    """Return the value of the header that says where a record stood."""
    return f"{topic_id}/{partition}/{offset}/{time_ms}".encode()


def origin_of(record: RawRecord, topic: TopicIdentity) -> Origin | None:
    """Return the origin of a replayed record, None of every other.

    Headers that do not read as `origin_header`, or name another topic, as those that a mirror brings, are
    of no meaning.
    """
    told = dict(record.headers)
    return _origin(told.get(ORIGIN_HEADER), told.get(REPLAY_HEADER), topic.topic_id)


def _origin(origin: bytes | None, replay_id: bytes | None, topic_id: str) -> Origin | None:
    found = _ORIGIN.fullmatch(origin or b"")
    if found is None or not topic_id or found[1].decode() != topic_id:
        return None
    partition, offset, time_ms = int(found[2]), int(found[3]), int(found[4])
    if not FIRST <= time_ms * 1_000 <= LAST:
        return None
    if partition >= _PARTITIONS or offset >= _OFFSETS or not _REPLAY_ID.fullmatch(replay_id or b""):
        return None
    return Origin(partition, offset, time_ms, (replay_id or b"").decode())


@dataclass(frozen=True)
class Origins:
    """Where the records of a batch stood first: replayed ones elsewhere, all others where they are.

    Attributes:
        partition, offset, time: one a record; `time` in microseconds since the epoch.
        replayed: the numbers of replayed records, ascending, with their origins.
    """

    partition: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int64]
    time: npt.NDArray[np.int64]
    replayed: Sequence[tuple[int, Origin]] = ()

    def onto(self, frame: pl.DataFrame, row: str) -> pl.DataFrame:
        """Return `frame` with the columns that tell of replays; as it is where there is none.

        Its column `row` is the number of each row's record.
        """
        if not self.replayed:
            return frame
        told = pl.DataFrame(
            [
                (number, one.replay_id, one.partition, one.offset, one.time_ms * 1_000)
                for number, one in self.replayed
            ],
            schema={
                row: frame.schema[row],
                "_replay_id": pl.String,
                "_origin_partition": pl.Int32,
                "_origin_offset": pl.Int64,
                ORIGIN_TIME: pl.Int64,
            },
            orient="row",
        ).with_columns(pl.col(ORIGIN_TIME).cast(pl.Datetime("us", "UTC")))
        return frame.join(told, on=row, how="left", maintain_order="left")


def origins_of(records: Records, topic: TopicIdentity) -> Origins:
    """Return the origins of `records`."""
    rows = records.with_header(ORIGIN_HEADER)
    if not len(rows):
        return Origins(records.partition, records.offset, records.time)
    headers = (records.header(name, rows).to_pylist() for name in (ORIGIN_HEADER, REPLAY_HEADER))
    found = [
        (row, one)
        for row, origin, replay_id in zip(rows.tolist(), *headers, strict=True)
        if (one := _origin(origin, replay_id, topic.topic_id)) is not None
    ]
    partition, offset, time = records.partition.copy(), records.offset.copy(), records.time.copy()
    for row, one in found:
        partition[row], offset[row], time[row] = one.partition, one.offset, one.time_ms * 1_000
    return Origins(partition, offset, time, found)
