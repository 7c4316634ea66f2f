"""The commits of one micro-batch: its claim, its dead letters, its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from pipeline.code_version import loaded_code_version
from pipeline.contract.model import Product
from pipeline.failpoints import failpoint
from pipeline.ingest.commit.missed_dead_letters import MissedDeadLetters
from pipeline.ingest.commit.rows_writer import RowsWriter
from pipeline.ingest.commit.tables import IngestTables
from pipeline.ingest.model import MicroBatch, Plan, PlannedBatch
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.tables.commit import (
    CODE_VERSION_KEY,
    CONTRACT_VERSION_KEY,
    REFERENCE_VERSIONS_KEY,
    RUN_ID_KEY,
    CommitConflictError,
    OffsetCommit,
    commit,
    write_files,
)
from pipeline.tables.commit_retry import TableBusyError, retry_commit
from pipeline.tables.offsets import CommittedOffsets, committed_offsets
from pipeline.tables.snapshots import check_not_rolled_back


class Committer:
    """Commits what one ingest has read, each commit with its offsets and ledger entries.

    A commit raises CommitConflictError where somebody else moved the offsets first, and
    CommitUnknownError where its outcome is open; nothing but the table's property tells then.
    """

    def __init__(
        self,
        product: Product,
        tables: IngestTables,
        writer: RowsWriter,
        reference_versions: Mapping[str, str],
        run_id: str,
        confirm: Callable[[], None],
    ) -> None:
        """`confirm` is called right before each commit, which is not made if it raises."""
        self._confirm = confirm
        self._product = product
        self._tables = tables
        self._writer = writer
        self._reference_versions = reference_versions
        self._run_id = run_id
        self._code_version = loaded_code_version(product.folder, product.version)

    def commit(self, planned: PlannedBatch, batch: MicroBatch) -> CommittedOffsets:
        """Commit `batch` in the protocol's order; returns the offsets of events as committed.

        Dead letters come before events. Ended in between, the batch is planned again as a redo.
        """
        plan, (events, dead_letters) = planned.plan, planned.tables
        if plan.redone:
            self._claim(plan, events)
        self._writer.write(events)
        self._commit_dead_letters(plan, batch, dead_letters)
        return self._commit_events(plan, batch, events)

    def commit_repair(self, planned: PlannedBatch, missed: MissedDeadLetters) -> None:
        """Commit dead letters of offsets that events hold already."""
        plan, table = planned.plan, planned.tables.dead_letters
        ends = {entry.partition: entry.end for entry in missed.entries}
        offset_commit = self._offset_commit(
            plan, {**plan.dead_letters_next, **ends}, missed.entries
        )
        files = write_files(table, missed.rows)
        self._commit(table, files, offset_commit, is_dead_letters=True)

    def _claim(self, plan: Plan, events: Table) -> None:
        """Fence out whoever began this batch: its commit of events can no longer land.

        It may be slow rather than dead, and may judge by other gates than this ingest; docs/adr/0004
        tells why nothing less will do.
        """
        self._confirm()
        commit(events, (), self._offset_commit(plan, plan.next, ()))
        failpoint("ingest.claimed")

    def _commit_dead_letters(self, plan: Plan, batch: MicroBatch, table: Table) -> None:
        advanced = {p: max(at, batch.ends.get(p, at)) for p, at in plan.dead_letters_next.items()}
        entries = tuple(
            Entry(
                partition=entry.partition,
                start=plan.dead_letters_next[entry.partition],
                end=advanced[entry.partition],
                dead_letters=entry.dead_letters,
            )
            for entry in batch.entries
        )
        failpoint("ingest.before_dead_letter_files")
        files = write_files(table, batch.dead_letters)
        failpoint("ingest.before_dead_letter_commit")
        offset_commit = self._offset_commit(plan, advanced, entries)
        self._commit(table, files, offset_commit, is_dead_letters=True)
        failpoint("ingest.after_dead_letter_commit")

    def _commit_events(self, plan: Plan, batch: MicroBatch, table: Table) -> CommittedOffsets:
        advanced = {p: batch.ends.get(p, at) for p, at in plan.next.items()}
        failpoint("ingest.before_event_files")
        files = self._writer.files()
        failpoint("ingest.before_event_commit")
        offset_commit = self._offset_commit(plan, advanced, batch.entries)
        offsets = self._commit(table, files, offset_commit, is_dead_letters=False)
        failpoint("ingest.after_event_commit")
        return offsets

    def _offset_commit(
        self, plan: Plan, advanced: Mapping[int, int], entries: tuple[Entry, ...]
    ) -> OffsetCommit:
        summary = {
            **ledger_summary(entries),
            RUN_ID_KEY: self._run_id,
            CONTRACT_VERSION_KEY: self._product.version,
            CODE_VERSION_KEY: self._code_version,
        }
        if versions := self._reference_versions:
            summary[REFERENCE_VERSIONS_KEY] = ",".join(
                f"{name}={digest}" for name, digest in sorted(versions.items())
            )
        return OffsetCommit(plan.identity, plan.first, advanced, summary)

    def _commit(
        self,
        table: Table,
        files: tuple[DataFile, ...],
        offset_commit: OffsetCommit,
        *,
        is_dead_letters: bool,
    ) -> CommittedOffsets:
        """Commit, again while commits that leave the offsets alone (maintenance's) come first."""
        before = committed_offsets(table)
        fresh = [table]

        def attempt() -> CommittedOffsets:
            now = fresh.pop() if fresh else self._reload(before, is_dead_letters=is_dead_letters)
            self._confirm()
            try:
                return commit(now, files, offset_commit)
            except CommitConflictError as error:
                raise CommitFailedException(error.what) from error

        subject = ".".join(table.name())
        try:
            return retry_commit(attempt, subject)
        except TableBusyError as error:
            raise CommitConflictError(error.what, subject=subject, remedy=error.remedy) from error

    def _reload(self, before: CommittedOffsets | None, *, is_dead_letters: bool) -> Table:
        """Return the table as it is now, if its offsets are still those of `before`."""
        table = self._tables.load()[int(is_dead_letters)]
        check_not_rolled_back(table)
        if committed_offsets(table) != before:
            raise CommitConflictError(
                "its offsets were moved by another commit.",
                subject=".".join(table.name()),
                remedy="Plan again from where they are.",
            )
        return table
