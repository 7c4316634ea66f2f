"""What an impact is told by: frozen, and free of any payload's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pipeline.control.publications import Publication
from pipeline.impact.commits import Commit
from pipeline.impact.selection import Selection


@dataclass(frozen=True)
class HeldRows:
    """Rows of the selection that one commit brought to one hour of events.

    Attributes:
        snapshot_id: the commit's; None where no entry of the ledger counts their offsets.
        sequence_number: the commit's; None with it.
        replayed: whether they are of dead letters of the selection, which replays brought from elsewhere.
    """

    hour: datetime
    rows: int
    snapshot_id: int | None
    sequence_number: int | None
    replayed: bool = False


@dataclass(frozen=True)
class HeldLetters:
    """Dead letters of the selection that one commit counts, by their reason."""

    reason: str
    letters: int
    snapshot_id: int | None


class Standing(StrEnum):
    """What an hour of a derived table has of the selection."""

    HOLDS = "holds it"
    """Its last build was computed from all of it that is there now."""
    PARTLY = "partly"
    """From some of it: the rest came after that build, which will be built again for it."""
    NOT_YET = "not yet"
    """From none of it: what is published is not affected, and will be built again for it."""
    UNCHANGED = "not changed"
    """It was built before, and what it reads is as it was then, by its digests: nothing is to be built."""
    UNPUBLISHED = "not published"
    """It was never published."""
    UNKNOWN = "unknown"
    """Nothing that is kept tells: the snapshot of events that it was computed from is forgotten."""


@dataclass(frozen=True)
class BuildReached:
    """One publication of an hour, and what it was computed from of the selection.

    Attributes:
        holds: whether it was computed from any of it; None where nothing that is kept tells.
        rows: rows of events of the selection that it read, not those that other tables handed on to it.
    """

    publication: Publication
    holds: bool | None
    rows: int


@dataclass(frozen=True)
class HourReached:
    """An hour of a derived table that is computed from hours with rows of the selection.

    Attributes:
        table: as the contract names it.
        identifier: where its hours are published: of a feature table, its history.
        through: the tables that it reads of those that are reached, `events` among them.
        rows: rows of events of the selection in the hours that it reads.
        builds: oldest first; none where it was never published.
    """

    table: str
    identifier: str
    hour: datetime
    through: tuple[str, ...]
    rows: int
    standing: Standing
    builds: tuple[BuildReached, ...] = ()

    @property
    def last(self) -> Publication | None:
        """The build that readers have; None where it was never published."""
        return self.builds[-1].publication if self.builds else None


@dataclass(frozen=True)
class ServedRows:
    """Rows of a feature table, what readers get, that are of an hour which holds the selection."""

    table: str
    hour: datetime
    rows: int


@dataclass(frozen=True)
class Found:
    """What of the tables an impact is planned from.

    Attributes:
        publications: of all hours that may be reached.
        numbers: snapshot of events -> its sequence number, of those of which anything is kept.
    """

    commits: tuple[Commit, ...] = ()
    rows: tuple[HeldRows, ...] = ()
    letters: tuple[HeldLetters, ...] = ()
    publications: tuple[Publication, ...] = ()
    numbers: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Impact:
    """What holds the records of a selection, in every table of one product in one cell.

    Attributes:
        commits: those that brought rows or dead letters of it, or count offsets of it, oldest first.
        rows, letters: by hour and commit.
        reached: hours of derived tables, in the order of the contract's tables and of hours.
        served: of feature tables, by hour.
    """

    product: str
    cell: str
    topic: str
    selection: Selection
    commits: tuple[Commit, ...]
    rows: tuple[HeldRows, ...]
    letters: tuple[HeldLetters, ...]
    reached: tuple[HourReached, ...]
    served: tuple[ServedRows, ...] = ()
