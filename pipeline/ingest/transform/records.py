"""A micro-batch on its way: what records decode to, and why some do not."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from pipeline.kafka.records import RawRecord

_LETTER_BYTES = 1024
"""Of a dead letter beside what its record holds: objects, its detail, columns of its table."""


class Reason(enum.StrEnum):
    """Why a record is a dead letter: the `reason` column. Never renamed."""

    NO_VALUE = "no_value"
    BAD_FRAMING = "bad_framing"
    UNKNOWN_SCHEMA = "unknown_schema"
    UNDECODABLE = "undecodable"
    NULL_KEY = "null_key"
    INVALID_ENVELOPE = "invalid_envelope"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    STALE = "stale"
    AHEAD = "ahead"
    OUT_OF_RANGE = "out_of_range"
    UNLISTED_SCHEMA = "unlisted_schema"
    NO_TIMESTAMP = "no_timestamp"
    UNWRITABLE = "unwritable"
    QUARANTINED = "quarantined"
    KEY_MISMATCH = "key_mismatch"
    NO_EVENT_TIME = "no_event_time"
    UNREADABLE_SCHEMA = "unreadable_schema"


@dataclass(frozen=True)
class DeadLetter:
    """A record that is not a row, and why."""

    record: RawRecord
    reason: Reason
    detail: str

    @property
    def memory_bytes(self) -> int:
        """About how much memory it takes, its row of the dead letters table included."""
        record = self.record
        held = [record.key, record.value, *(value for _, value in record.headers)]
        return _LETTER_BYTES + 2 * sum(len(part) for part in held if part is not None)


@dataclass(frozen=True)
class Event:
    """What one record decodes to.

    `event_time` is in microseconds since the epoch; `payload` is one row of the payload's columns.
    """

    uuid: str
    key: str
    event_time: int
    schema_version: int
    payload: pa.Table


@dataclass(frozen=True)
class Decoded:
    """A batch, decoded.

    Attributes:
        frame: one row an event: the events table's columns but `_late` and those of reference data,
            and `__row`, the record's number in the batch. Ordered by it, but for records that were
            decoded one by one, which come last.
        dead_letters: the records that hold no event.
        singly: how many of the events were decoded one by one.
    """

    frame: pl.DataFrame
    dead_letters: list[DeadLetter]
    singly: int = 0
