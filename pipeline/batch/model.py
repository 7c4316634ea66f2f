"""What the building of an hour hands from step to step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from pipeline.control.publications import Publication

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


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


AuditFunction = Callable[["DataFrame"], Verdict]
"""Judges the rows of one staged hour, before any reader of the table sees them."""


@dataclass(frozen=True)
class Source:
    """What an hour is computed from, pinned.

    Attributes:
        snapshot_id: of events.
        rows: rows of events in the hours that are read, in that snapshot.
        inputs: fingerprint of the hours of derived tables that are read; "" for none.
    """

    snapshot_id: int
    rows: int
    inputs: str = ""


@dataclass(frozen=True)
class Staged:
    """One hour of one table, written and not published.

    Attributes:
        table: its identifier, `namespace.table`.
        hour: start of the hour, UTC.
        wap_id: unique to this staging.
        source_snapshot_id: the snapshot of events it was computed from.
        snapshot_id: the snapshot that holds it, off main; None when the hour has no rows.
        base_snapshot_id: main's when it was staged; None when the table was empty.
        rows: rows staged.
        expectations: how many an audit is to check.
        source_rows: rows of events that it was computed from.
        inputs: fingerprint of the hours of derived tables that it was computed from; "" for none.
        columns: those that the logic and the engine gave; the table may have more, which are null in it.
            Empty in stagings of versions that did not say.
    """

    table: str
    hour: datetime
    wap_id: str
    source_snapshot_id: int
    snapshot_id: int | None
    base_snapshot_id: int | None
    rows: int
    contract_version: str
    run_id: str
    expectations: int
    source_rows: int
    inputs: str
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, publication: Publication) -> Staged:
        """Return what was published, on main now. Its base is not known any more, nor its columns."""
        return cls(
            table=publication.table,
            hour=publication.hour,
            wap_id=publication.wap_id,
            source_snapshot_id=publication.source_snapshot_id,
            snapshot_id=publication.published_snapshot_id,
            base_snapshot_id=None,
            rows=publication.rows,
            contract_version=publication.contract_version,
            run_id=publication.run_id,
            expectations=publication.expectations,
            source_rows=publication.source_rows or 0,
            inputs=publication.inputs or "",
        )

    def publication(
        self, at: datetime, snapshot_id: int | None, *, met: int, digest: str, handover: str
    ) -> Publication:
        """Return the record of its publication in `snapshot_id` of main, with `met` expectations met."""
        return Publication(
            table=self.table,
            hour=self.hour,
            published_at=at,
            source_snapshot_id=self.source_snapshot_id,
            staged_snapshot_id=self.snapshot_id,
            published_snapshot_id=snapshot_id,
            wap_id=self.wap_id,
            rows=self.rows,
            contract_version=self.contract_version,
            run_id=self.run_id,
            expectations=met,
            source_rows=self.source_rows,
            inputs=self.inputs,
            digest=digest,
            handover=handover,
        )


@dataclass(frozen=True)
class Rejected:
    """An hour whose audit failed: main is as it was, the staging stays for inspection."""

    staged: Staged
    verdict: Verdict
