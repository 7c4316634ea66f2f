"""A micro-batch on its way: records, what they decode to, and why some do not."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any


class State(enum.Enum):
    """Where an event is in its life; each follows from evidence (see docs/format.md)."""

    RAW = "Raw"
    ENRICHED = "Enriched"
    VALIDATED = "Validated"
    SINK_COMMITTED = "SinkCommitted"
    ARCHIVED = "Archived"
    DEAD_LETTER = "DeadLetter"
    REPLAY = "Replay"


TRANSITIONS = {
    State.RAW: frozenset({State.ENRICHED, State.DEAD_LETTER}),
    State.ENRICHED: frozenset({State.VALIDATED, State.DEAD_LETTER}),
    State.VALIDATED: frozenset({State.SINK_COMMITTED}),
    State.SINK_COMMITTED: frozenset({State.ARCHIVED}),
    State.ARCHIVED: frozenset(),
    State.DEAD_LETTER: frozenset({State.REPLAY}),
    State.REPLAY: frozenset({State.RAW}),
}
"""What may follow each state. Without an online store, SinkCommitted and Archived are one snapshot."""


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
class DeadLetter:
    """A record that is not a row, and why."""

    record: RawRecord
    reason: Reason
    detail: str


@dataclass
class Decoded:
    """One column a list, one entry a decoded record, in (partition, offset) order.

    `event_time` is in microseconds since the epoch; `letters` holds the records that did not decode.
    """

    records: list[RawRecord] = field(default_factory=list)
    uuid: list[str] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    event_time: list[int] = field(default_factory=list)
    schema_version: list[int] = field(default_factory=list)
    payload: list[dict[str, Any]] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
