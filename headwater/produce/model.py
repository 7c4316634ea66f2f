"""What is to be produced, and what was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What a produced record is meant to become.

    The first three become a row, a late row and a duplicate; every other is poison: a dead letter.
    """

    VALID = "valid"
    LATE = "late"
    DUPLICATE = "duplicate"
    TOO_LATE = "too_late"
    AHEAD = "ahead"
    BAD_MAGIC = "bad_magic"
    UNKNOWN_SCHEMA = "unknown_schema"
    TRUNCATED = "truncated"
    NULL_KEY = "null_key"
    NO_VALUE = "no_value"
    WRONG_ENVELOPE = "wrong_envelope"
    TOO_LARGE = "too_large"


REASONS = {
    Kind.TOO_LATE: "stale",
    Kind.AHEAD: "ahead",
    Kind.BAD_MAGIC: "bad_framing",
    Kind.UNKNOWN_SCHEMA: "unknown_schema",
    Kind.TRUNCATED: "undecodable",
    Kind.NULL_KEY: "null_key",
    Kind.NO_VALUE: "no_value",
    Kind.WRONG_ENVELOPE: "key_mismatch",
    Kind.TOO_LARGE: "payload_too_large",
}
"""Kinds of poison, and the reason that ingest gives each dead letter."""


class Event(NamedTuple):
    """One event as it happened. `event_time` is in microseconds since the epoch."""

    key: str
    uuid: str
    event_time: int
    payload: dict[str, Any]


class Planned(NamedTuple):
    """One record to be sent. `record_time` is in microseconds since the epoch."""

    kind: Kind
    record_time: int
    event: Event


@dataclass(frozen=True)
class Shares:
    """Shares of all records, each from 0 to 1; the rest is plain and valid."""

    late: float = 0.0
    duplicates: float = 0.0
    poison: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shares that cannot be."""
        if min(self.late, self.duplicates, self.poison) < 0:
            raise ValueError("a share is not negative")
        if self.late + self.duplicates + self.poison >= 1:
            raise ValueError("late, duplicates and poison together are less than 1")


@dataclass(frozen=True)
class BadRow:
    """A row of a file that was not produced."""

    line: int
    problem: str


@dataclass(frozen=True)
class Produced:
    """What Kafka acknowledged.

    Attributes:
        total: records; valid + duplicates + poison.
        valid: events that must each become a row, the late ones among them.
        late: of the valid, those older than the freshness gate allows.
        duplicates: records that repeat an earlier one's uuid and event time.
        poison: kind -> records that must each become a dead letter.
        bad_rows: rows of a file that were not produced; `first_bad_rows` tells of some.
        interrupted: whether it was stopped before its end.
    """

    total: int = 0
    valid: int = 0
    late: int = 0
    duplicates: int = 0
    poison: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    bad_rows: int = 0
    first_bad_rows: tuple[BadRow, ...] = ()
    interrupted: bool = False

    @property
    def dead_letters(self) -> Mapping[str, int]:
        """Dead letters that the poison must become: reason -> records."""
        reasons: Counter[str] = Counter()
        for kind, count in self.poison.items():
            reasons[REASONS[Kind(kind)]] += count
        return dict(sorted(reasons.items()))


def tally(
    counts: Mapping[Kind, int],
    *,
    seconds: float,
    interrupted: bool,
    bad: tuple[int, tuple[BadRow, ...]] = (0, ()),
) -> Produced:
    """Return the summary of `counts` records of each kind."""
    return Produced(
        total=sum(counts.values()),
        valid=counts.get(Kind.VALID, 0) + counts.get(Kind.LATE, 0),
        late=counts.get(Kind.LATE, 0),
        duplicates=counts.get(Kind.DUPLICATE, 0),
        poison={str(kind): counts[kind] for kind in REASONS if counts.get(kind)},
        seconds=round(seconds, 3),
        bad_rows=bad[0],
        first_bad_rows=bad[1],
        interrupted=interrupted,
    )
