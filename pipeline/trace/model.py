"""What a trace is made from, and what it tells: frozen, and free of any payload's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.ledger.retention import RetentionAccount

if TYPE_CHECKING:
    from pipeline.control.alerts import Alert
    from pipeline.control.publications import Publication
    from pipeline.dead_letters.fate import Fate
    from pipeline.dead_letters.look.letter import Step
    from pipeline.dead_letters.store import Action
    from pipeline.event_state import State
    from pipeline.trace.commits import Commit


@dataclass(frozen=True, order=True)
class Place:
    """Where a record stands in the topic of that id."""

    topic_id: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}"


@dataclass(frozen=True)
class Headers:
    """What a record's headers say of where it comes from; None where one is missing."""

    producer: str | None = None
    job_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True)
class Deletion:
    """The snapshot by which retention has deleted a row."""

    snapshot_id: int
    at: datetime


@dataclass(frozen=True)
class Row:
    """A row of events: what the engine's own columns say.

    Attributes:
        unlisted: whether the contract did not list its payload's version, and its value is kept beside it.
        origin: where the dead letter stood that a replay made it of.
        commit: None where no entry of the ledger counts its offset.
        deletion: set of a row that only snapshots from before it still have.
    """

    topic: str
    place: Place
    uuid: str
    record_time: datetime
    ingested_at: datetime
    run_id: str
    event_time: datetime
    schema_version: int
    late: bool
    unlisted: bool
    headers: Headers
    replay_id: str | None
    origin: Place | None
    commit: Commit | None
    deletion: Deletion | None = None


class Match(StrEnum):
    """Why a record is taken for the event's."""

    DECODED = "it says this uuid"
    COORDINATES = "its uuid is made of where it stood"
    ORIGIN = "it is the same record, by where that stood first"
    BYTES = "its bytes hold this uuid, and cannot be decoded to the end"


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter without its bytes. `detail` is without what is personal."""

    topic: str
    place: Place
    record_time: datetime
    ingested_at: datetime
    run_id: str
    reason: str
    detail: str
    headers: Headers
    origin: Place
    replay_id: str | None
    fate: Fate
    steps: tuple[Step, ...]
    commit: Commit | None
    match: Match


@dataclass(frozen=True)
class Copy:
    """A record of the event that Kafka has, and that is neither a row nor a dead letter.

    Attributes:
        commit: what counts its offset, among the duplicates; None of one that is not ingested yet.
    """

    place: Place
    record_time: datetime
    headers: Headers
    match: Match
    commit: Commit | None


class Seen(StrEnum):
    """What became of a range of offsets that may hold copies."""

    READ = "read"
    GONE = "gone from Kafka"
    LEFT = "not looked at"


@dataclass(frozen=True)
class Look:
    """A range of offsets [start, end) that may hold a copy.

    Attributes:
        commit: the one that has counted duplicates there; None of what is not ingested yet.
        why: why it was not looked at; empty where it was.
    """

    partition: int
    start: int
    end: int
    seen: Seen
    commit: Commit | None
    why: str = ""


@dataclass(frozen=True)
class Search:
    """What a look into Kafka brought.

    Attributes:
        trouble: why Kafka could not be asked; empty where it could, or was not.
    """

    looks: tuple[Look, ...] = ()
    copies: tuple[Copy, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class Build:
    """One publication of an hour, and whether it was computed from the row.

    Attributes:
        holds: whether its source snapshot already had the row; None where nothing that is kept tells.
        is_current: whether no later one stands for the hour.
    """

    publication: Publication
    holds: bool | None
    is_current: bool


@dataclass(frozen=True)
class Reached:
    """An hour of a derived table that is computed from a row's hour.

    Attributes:
        through: the tables that it reads of those that the row reaches, `events` among them.
        onward: whether it is reached only through earlier hours of the same table.
        builds: oldest first; none where it was never published.
        alerts: what was raised of the hour.
    """

    table: str
    identifier: str
    is_feature: bool
    hour: datetime
    through: tuple[str, ...]
    onward: bool
    builds: tuple[Build, ...] = ()
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All that was found of one event in one product and cell.

    Attributes:
        next: partition -> the first offset that is not ingested.
        retention: what retention has ever deleted of events.
        reached: row -> hours of derived tables, in the order of the contract's tables and of hours.
        actions: of the audit of dead letters, those that the letters' steps and the rows name.
    """

    product: str
    cell: str
    uuid: str
    looked_at: datetime
    next: Mapping[int, int] = field(default_factory=dict)
    retention: RetentionAccount = field(default_factory=RetentionAccount)
    rows: tuple[Row, ...] = ()
    letters: tuple[DeadLetter, ...] = ()
    search: Search = field(default_factory=Search)
    reached: Mapping[Place, tuple[Reached, ...]] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()


class Answer(StrEnum):
    """What an event is now, in one word."""

    ROW = "row"
    LATE = "late row"
    DELETED = "deleted by retention"
    WAITING = "not ingested yet"
    REPLAY = "on its way back"
    DEAD_LETTER = "dead letter"
    QUARANTINED = "quarantined"
    DISCARDED = "discarded"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"

    @property
    def is_known(self) -> bool:
        """Whether anything of the event was found."""
        return self is not Answer.UNKNOWN


@dataclass(frozen=True)
class Milestone:
    """One state of the event.

    Attributes:
        at: None where nothing says when.
        what: one sentence, for people.
        evidence: what it is told by, for programs.
    """

    state: State
    at: datetime | None
    place: Place
    what: str
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """One event's life.

    Attributes:
        summary: the answer in a sentence.
        milestones: every state, oldest first.
        facts: what all of it was told by.
    """

    answer: Answer
    summary: str
    milestones: tuple[Milestone, ...]
    facts: Facts
