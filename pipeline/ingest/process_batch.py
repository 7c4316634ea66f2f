"""Processing a micro-batch: its records read, made rows, dead letters and counts. Commits nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime

import polars as pl

from pipeline.failpoints import failpoint
from pipeline.ingest.commit.accounting import OffsetAccounting
from pipeline.ingest.commit.rows_writer import RowsWriter
from pipeline.ingest.context import ContractChangedError, IngestContext
from pipeline.ingest.model import MicroBatch, Plan, PlannedBatch
from pipeline.ingest.read.prefetch import prefetch
from pipeline.ingest.read.quarantined import planned_quarantines
from pipeline.ingest.read.source import Source
from pipeline.ingest.read.stored import Coordinate, stored_dead_letters
from pipeline.ingest.transform.exclude import Exclusions
from pipeline.ingest.transform.frame import dead_letter_rows
from pipeline.ingest.transform.held_back import HeldBackError
from pipeline.ingest.transform.process import Processor
from pipeline.kafka.records import Records
from pipeline.tables.offsets import CommittedOffsets


class BatchProcessor:
    """Makes a `MicroBatch` of what is planned, and hands its rows to the writer, which writes meanwhile."""

    def __init__(
        self,
        context: IngestContext,
        source: Source,
        processor: Processor,
        writer: RowsWriter,
        contract_changed: Callable[[], bool],
    ) -> None:
        """`contract_changed` looks at the contract now, and tells whether another was taken up."""
        self._context = context
        self._source = source
        self._processor = processor
        self._writer = writer
        self._contract_changed = contract_changed
        self._unlisted = 0
        self._known_snapshot: int | None = None
        self._is_stale = True

    def forget(self) -> None:
        """Forget what is known of events: it may not be what the table holds."""
        self._is_stale = True

    def process(self, planned: PlannedBatch, unwritable: Mapping[Coordinate, str]) -> MicroBatch:
        """Read what is planned, or as much as time and memory allow.

        `unwritable` are records that fail by themselves, and what with. Until `committed` is called, the
        uuids of the batch are known here and not in the table: the next `process` forgets them.

        Raises:
            HeldBackError: records were met that are to wait for the contract.
            ContractChangedError: another version of it was taken up meanwhile.
            StopRequestedError, RetryableError: as `Source.read`.
        """
        plan, tables = planned.plan, planned.tables
        # Somebody else's commit may have brought uuids that are not known here.
        if self._is_stale:
            self._processor.forget()
        elif tables.events.metadata.current_snapshot_id != self._known_snapshot:
            self._processor.deduplicator.forget()
        # Until the commit, what is known of uuids is ahead of the table.
        self._is_stale = True
        self._writer.forget()
        ingested_at = self._context.clock()
        stored = stored_dead_letters(tables.dead_letters, plan.identity.topic_id, plan.redone)
        quarantines = planned_quarantines(plan, tables.dead_letters)
        exclusions = Exclusions(frozenset(stored), quarantines, unwritable)
        try:
            accounting = self._read(planned, exclusions, ingested_at)
        except HeldBackError:
            self._look_again()
            raise
        return self._batch(plan, accounting, stored, ingested_at)

    def committed(self, offsets: CommittedOffsets) -> None:
        """Take in that the batch processed last is committed."""
        self._processor.deduplicator.trim()
        self._known_snapshot, self._is_stale = offsets.snapshot_id, False

    def _read(
        self, planned: PlannedBatch, exclusions: Exclusions, ingested_at: datetime
    ) -> OffsetAccounting:
        plan, events, limits = planned.plan, planned.tables.events, self._context.limits
        accounting = OffsetAccounting()
        enough_at = time.monotonic() + limits.max_s
        chunks = self._source.read(plan.identity, plan.ranges, limits.fetch_bytes)
        with closing(prefetch(chunks)) as coming:
            for chunk in coming:
                failpoint("ingest.fetched")
                done = self._processor.process(chunk.records, exclusions, events, ingested_at)
                self._look_again()
                accounting.add(chunk, done)
                self._writer.add(done.rows, _size(done.rows, chunk.records), events)
                # Or they would stay while the next chunk is read.
                del chunk, done
                if (
                    time.monotonic() > enough_at
                    or accounting.dead_letters_bytes > limits.dead_letters_bytes
                ):
                    break
        return accounting

    def _look_again(self) -> None:
        """Look at the contract where a version was met that it does not list: it may do so by now."""
        if self._processor.unlisted > self._unlisted:
            self._unlisted = self._processor.unlisted
            if self._contract_changed():
                raise ContractChangedError

    def _batch(
        self,
        plan: Plan,
        accounting: OffsetAccounting,
        stored: Mapping[Coordinate, str],
        ingested_at: datetime,
    ) -> MicroBatch:
        ranges = accounting.passed(plan.ranges)
        ends = {r.partition: r.end for r in ranges}
        counted = {(p, at): why for (p, at), why in stored.items() if at < ends.get(p, 0)}
        stored_by_partition = Counter(p for p, _ in counted)
        holes = accounting.holes(ranges, stored_by_partition)
        compacted = holes if any(holes.values()) and self._source.compacts() else {}
        reasons = Counter(one.reason.value for one in accounting.dead_letters)
        reasons.update(counted.values())
        return MicroBatch(
            ends=ends,
            entries=accounting.entries(ranges, stored_by_partition, compacted),
            dead_letters=dead_letter_rows(
                accounting.dead_letters, plan.identity, self._context.run_id, ingested_at
            ),
            reasons=reasons,
            rules=accounting.rules,
            singly=accounting.singly,
        )


def _size(rows: pl.DataFrame, records: Records) -> int:
    """Return about how much memory `rows` keep: views of 16 bytes, and the bytes they point into."""
    return 16 * rows.width * rows.height + len(records.data)
