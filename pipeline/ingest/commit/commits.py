"""The commits of one micro-batch: its claim, its dead letters, its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from pipeline.contract.model import Product
from pipeline.failpoints import failpoint
from pipeline.ingest.commit.accounting import Tally
from pipeline.ingest.commit.rows_writer import RowsWriter
from pipeline.ingest.commit.tables import IngestTables
from pipeline.ingest.plan import Plan
from pipeline.ingest.transform.process import Processor
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.tables.commit import (
    CONTRACT_VERSION_KEY,
    REFERENCE_VERSIONS_KEY,
    RUN_ID_KEY,
    CommitConflictError,
    OffsetCommit,
    commit,
    write_files,
)
from pipeline.tables.commit_retry import TableBusyError, until_it_lands
from pipeline.tables.offsets import CommittedOffsets, committed_offsets
from pipeline.tables.snapshots import refuse_rolled_back


@dataclass(frozen=True)
class Batch:
    """What has been read of a plan.

    Attributes:
        ends: partition -> the offset that it ends before.
        entries: what the books say of it.
        letters: its new dead letters, as rows of their table.
        tally: the counts that `entries` come from.
    """

    ends: Mapping[int, int]
    entries: tuple[Entry, ...]
    letters: pa.Table
    tally: Tally


class Landing:
    """Commits what one ingest has read, each commit with its offsets and books, in the protocol's order.

    Each commit raises CommitConflictError where somebody else moved the offsets first, and
    CommitUnknownError where its outcome is open; nothing but the table's property tells then.
    """

    def __init__(
        self, product: Product, tables: IngestTables, processor: Processor, run_id: str
    ) -> None:
        self._product = product
        self._tables = tables
        self._processor = processor
        self._run_id = run_id

    def claim(self, planned: Plan, events: Table) -> None:
        """Fence out whoever began this batch: its commit of events can no longer land.

        It may be slow rather than dead, and may judge by other gates than this ingest; docs/adr/0004
        tells why nothing less will do.
        """
        commit(events, (), self._said(planned, planned.next, ()))
        failpoint("ingest.claimed")

    def letters(self, planned: Plan, batch: Batch, side: Table) -> None:
        """Commit the dead letters of `batch`."""
        advanced = {p: max(at, batch.ends.get(p, at)) for p, at in planned.side_next.items()}
        entries = tuple(
            Entry(
                partition=entry.partition,
                start=planned.side_next[entry.partition],
                end=advanced[entry.partition],
                dead_letters=entry.dead_letters,
            )
            for entry in batch.entries
        )
        failpoint("ingest.before_side_files")
        files = write_files(side, batch.letters)
        failpoint("ingest.before_side_commit")
        self._land(side, files, self._said(planned, advanced, entries), is_side=True)
        failpoint("ingest.after_side_commit")

    def events(
        self, planned: Plan, batch: Batch, writer: RowsWriter, events: Table
    ) -> CommittedOffsets:
        """Commit the rows that `writer` was given of `batch`; returns the offsets as committed."""
        advanced = {p: batch.ends.get(p, at) for p, at in planned.next.items()}
        failpoint("ingest.before_event_files")
        files = writer.files()
        failpoint("ingest.before_event_commit")
        said = self._said(planned, advanced, batch.entries)
        offsets = self._land(events, files, said, is_side=False)
        failpoint("ingest.after_event_commit")
        return offsets

    def repaired(
        self, planned: Plan, entries: tuple[Entry, ...], letters: pa.Table, side: Table
    ) -> None:
        """Commit dead letters of offsets that events hold already."""
        advanced = {**planned.side_next, **{entry.partition: entry.end for entry in entries}}
        files = write_files(side, letters)
        self._land(side, files, self._said(planned, advanced, entries), is_side=True)

    def _said(
        self, planned: Plan, advanced: Mapping[int, int], entries: tuple[Entry, ...]
    ) -> OffsetCommit:
        summary = {
            **ledger_summary(entries),
            RUN_ID_KEY: self._run_id,
            CONTRACT_VERSION_KEY: self._product.version,
        }
        if versions := self._processor.reference_versions:
            summary[REFERENCE_VERSIONS_KEY] = ",".join(
                f"{name}={digest}" for name, digest in sorted(versions.items())
            )
        return OffsetCommit(planned.identity, planned.first, advanced, summary)

    def _land(
        self, table: Table, files: tuple[DataFile, ...], said: OffsetCommit, *, is_side: bool
    ) -> CommittedOffsets:
        """Commit, again while commits that leave the offsets alone (maintenance's) come first."""
        before = committed_offsets(table)
        fresh = [table]

        def attempt() -> CommittedOffsets:
            now = fresh.pop() if fresh else self._unmoved(before, is_side=is_side)
            try:
                return commit(now, files, said)
            except CommitConflictError as error:
                raise CommitFailedException(error.what) from error

        subject = ".".join(table.name())
        try:
            return until_it_lands(attempt, subject)
        except TableBusyError as error:
            raise CommitConflictError(error.what, subject=subject, remedy=error.remedy) from error

    def _unmoved(self, before: CommittedOffsets | None, *, is_side: bool) -> Table:
        """Return the table as it is now, if its offsets are still those of `before`."""
        table = self._tables.load()[int(is_side)]
        refuse_rolled_back(table)
        if committed_offsets(table) != before:
            raise CommitConflictError(
                "its offsets were moved by another commit.",
                subject=".".join(table.name()),
                remedy="Plan again from where they are.",
            )
        return table
