"""What the building of hours hands from step to step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from pipeline.control.publications import Publication
from pipeline.errors import HeadwaterError
from pipeline.lineage.facets.assertions import Finding


class Verdict(Protocol):
    """What an audit says of a staged hour."""

    @property
    def passed(self) -> bool:
        """Whether the hour may be published."""
        ...

    @property
    def met(self) -> int:
        """How many expectations were met."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was not met, for people; no value of any row."""
        ...

    @property
    def results(self) -> Sequence[Finding]:
        """What each expectation found; no value of any row."""
        ...


@dataclass(frozen=True)
class Source:
    """What an hour is computed from, pinned.

    Attributes:
        snapshot_id: of events.
        rows: rows of events in the hours that are read, in that snapshot.
        inputs: fingerprint of the hours of derived tables that are read; "" for none, or `UNKNOWN_INPUTS`.
    """

    snapshot_id: int
    rows: int
    inputs: str = ""


UNKNOWN_INPUTS = "unknown"
"""In place of the fingerprint of an hour that is computed with the one before it, until that one's rows are
digested. An hour that is recorded with it is stale."""


@dataclass(frozen=True)
class StagedHour:
    """One hour of a staging.

    Attributes:
        hour: its start, UTC.
        rows: rows staged; 0 for an hour that the logic gives none for.
        source_rows: rows of events that it was computed from.
        inputs: as `Source`'s.
    """

    hour: datetime
    rows: int
    source_rows: int
    inputs: str


@dataclass(frozen=True)
class Staged:
    """Hours of one table, written together and not published.

    Attributes:
        table: its identifier, `namespace.table`.
        wap_id: unique to this staging; with the hour it is what a publication is known by.
        source_snapshot_id: the snapshot of events they were computed from.
        snapshot_id: the snapshot that holds them, off main; None when no hour has rows.
        base_snapshot_id: main's when they were staged; None when the table was empty.
        expectations: how many an audit is to check of each hour.
        hours: oldest first.
        columns: those that the logic and the engine gave; the table may have more, which are null in it.
            Empty in stagings of versions that did not say.
        input_snapshots: main's snapshot of each derived table that they were computed from, by identifier.
        code_version: of the code that computed them; empty in stagings of versions that did not say.
    """

    table: str
    wap_id: str
    source_snapshot_id: int
    snapshot_id: int | None
    base_snapshot_id: int | None
    contract_version: str
    run_id: str
    expectations: int
    hours: tuple[StagedHour, ...]
    columns: tuple[str, ...] = ()
    input_snapshots: Mapping[str, int] = field(default_factory=dict)
    code_version: str = ""

    @classmethod
    def of(cls, publication: Publication) -> Staged:
        """Return what was published, on main now. Its base is not known any more, nor its columns."""
        hour = StagedHour(
            publication.hour,
            publication.rows,
            publication.source_rows or 0,
            publication.inputs or "",
        )
        return cls(
            table=publication.table,
            wap_id=publication.wap_id,
            source_snapshot_id=publication.source_snapshot_id,
            snapshot_id=publication.published_snapshot_id,
            base_snapshot_id=None,
            contract_version=publication.contract_version,
            run_id=publication.run_id,
            expectations=publication.expectations,
            hours=(hour,),
        )

    @property
    def starts(self) -> tuple[datetime, ...]:
        """The start of each of its hours."""
        return tuple(one.hour for one in self.hours)

    @property
    def with_rows(self) -> tuple[datetime, ...]:
        """The start of each of its hours that has rows."""
        return tuple(one.hour for one in self.hours if one.rows)

    def only(self, hours: Collection[datetime]) -> Staged:
        """Return what it is of `hours` alone; the snapshot has the others all the same."""
        kept = tuple(one for one in self.hours if one.hour in hours)
        has_rows = any(one.rows for one in kept)
        return replace(self, hours=kept, snapshot_id=self.snapshot_id if has_rows else None)

    def publication(
        self,
        of: StagedHour,
        at: datetime,
        snapshot_id: int | None,
        *,
        met: int,
        digest: str,
        handover: str,
    ) -> Publication:
        """Return the record of an hour's publication in `snapshot_id` of main, `met` expectations met."""
        return Publication(
            table=self.table,
            hour=of.hour,
            published_at=at,
            source_snapshot_id=self.source_snapshot_id,
            staged_snapshot_id=self.snapshot_id if of.rows else None,
            published_snapshot_id=snapshot_id if of.rows else None,
            wap_id=self.wap_id,
            rows=of.rows,
            contract_version=self.contract_version,
            run_id=self.run_id,
            expectations=met,
            source_rows=of.source_rows,
            inputs=of.inputs,
            digest=digest,
            handover=handover,
        )


@dataclass(frozen=True)
class Rejected:
    """An hour whose audit failed: main is as it was, the staging, of it alone here, stays for inspection."""

    staged: Staged
    verdict: Verdict


@dataclass(frozen=True)
class NotReached:
    """An hour that was computed with one before it which is not published: main is as it was.

    It is to be built from what main has of that one.
    """


HourOutcome = Publication | Rejected | HeadwaterError
"""What became of an hour; an error is what its build ended with, and main is as it was."""
RangeOutcome = HourOutcome | NotReached
"""What became of an hour of a range."""
