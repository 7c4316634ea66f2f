"""One ingest's connections and its two steps: plan a micro-batch, execute the plan."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType

import polars as pl
import pyarrow as pa
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.failpoints import failpoint
from pipeline.ingest.ahead import ahead
from pipeline.ingest.batch import Coordinate, Processor
from pipeline.ingest.coordinates import held_coordinates
from pipeline.ingest.frame import letter_rows
from pipeline.ingest.model import DeadLetter
from pipeline.ingest.plan import Limits, Plan, Range, TopicState, plan
from pipeline.ingest.report import Committed
from pipeline.ingest.source import Source, StopAskedError
from pipeline.ingest.tally import Tally
from pipeline.ingest.writing import RowsWriter
from pipeline.kafka.records import Records
from pipeline.ledger.model import Entry, total
from pipeline.schemas.registry import open_registry
from pipeline.tables.commit import (
    CONTRACT_VERSION_KEY,
    REFERENCE_VERSIONS_KEY,
    RUN_ID_KEY,
    CommitConflictError,
    OffsetCommit,
    commit,
    write_files,
)
from pipeline.tables.create import ensure_tables
from pipeline.tables.errors import named_errors
from pipeline.tables.offsets import CommittedOffsets, committed_offsets
from pipeline.tables.snapshots import refuse_rolled_back

__all__ = ["Session", "StopAskedError"]


class Session:
    """The connections, schemas and de-duplication state of one ingest. Close it when done."""

    def __init__(
        self,
        cell: Cell,
        product: Product,
        limits: Limits,
        run_id: str,
        stop: threading.Event,
        clock: Clock,
    ) -> None:
        self._cell = cell
        self._product = product
        self._limits = limits
        self._run_id = run_id
        self._stop = stop
        self._clock = clock
        self._subject = f"{product.name}/{cell.name}"
        self._source = Source(cell, product, stop)
        self._writer = RowsWriter(limits.rows_bytes)
        self._processor: Processor | None = None
        self._known_snapshot: int | None = None
        self._is_stale = True
        self._topic: TopicState | None = None
        self._tables: tuple[Table, Table] | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()
        self._source.close()

    def reset(self) -> None:
        """Forget what a failure may have made untrue: connections and known uuids."""
        self._source.close()
        self._is_stale = True

    @property
    def targets(self) -> Mapping[int, int]:
        """The last stable offsets that the latest plan saw."""
        return {} if self._topic is None else self._topic.stable

    @property
    def is_started(self) -> bool:
        """Whether the events table has offsets already."""
        return self._tables is not None and committed_offsets(self._tables[0]) is not None

    @property
    def linger_s(self) -> float:
        """Seconds between the commits of an ingest that has caught up."""
        return self._limits.linger_s

    def has_caught_up(self, committed: Committed) -> bool:
        """Return whether a commit took all that its plan saw waiting, in less than it might have."""
        taken = sum(end - start for start, end in committed.ranges.values())
        return committed.lag <= 0 and taken < self._limits.max_records

    def plan(self, targets: Mapping[int, int] | None) -> Plan:
        """Look at tables and topic, and plan the next micro-batch, not beyond `targets`."""
        events, side = self._tables = ensure_tables(self._cell, self._product)
        refuse_rolled_back(events)
        refuse_rolled_back(side)
        topic = self._source.look(is_new=committed_offsets(events) is None)
        self._topic = topic
        planned = plan(
            self._subject,
            topic,
            committed_offsets(events),
            committed_offsets(side),
            self._limits,
            targets,
        )
        failpoint("ingest.planned")
        return planned

    def execute(self, planned: Plan) -> Committed | None:
        """Carry `planned` out; returns what was committed to events, None if only repairs were due.

        Raises:
            CommitConflictError: somebody else moved the offsets first: plan again.
            CommitUnknownError: the outcome is open: plan again.
            StopAskedError: `stop` was set before anything of the plan was committed.
            CatalogUnavailableError, WarehouseUnavailableError: try again later.
        """
        with named_errors(self._subject):
            return self._execute(planned)

    def _execute(self, planned: Plan) -> Committed | None:
        if self._tables is None or self._topic is None:
            raise RuntimeError("execute follows plan")
        events, side = self._tables
        if self._processor is None:
            self._processor = Processor(
                self._product,
                open_registry(self._cell),
                planned.identity,
                self._run_id,
                self._limits.known_bytes,
            )
        if planned.repairs:
            self._repair(self._processor, planned, events, side)
            return None
        # Somebody else's commit may have brought uuids that are not known here.
        head = events.metadata.current_snapshot_id
        if self._is_stale or head != self._known_snapshot:
            self._processor.deduplicator.forget()
        # Until the commit, what is known of uuids is ahead of the table.
        self._is_stale = True
        self._writer.forget()
        ingested_at = self._clock()
        held = held_coordinates(side, planned.identity.topic_id, planned.redone)
        tally = self._process(self._processor, planned, events, held, ingested_at)
        batch = self._batch(planned, tally, held, ingested_at)
        failpoint("ingest.decoded")
        self._refuse_stopped()
        if planned.redone:
            self._claim(self._processor, planned, events)
        self._writer.write(events)
        self._commit_side(self._processor, planned, batch, side)
        offsets = self._commit_events(self._processor, planned, batch, events)
        self._processor.deduplicator.trim()
        self._known_snapshot, self._is_stale = offsets.snapshot_id, False
        return self._committed(planned, batch, offsets)

    def _process(
        self,
        processor: Processor,
        planned: Plan,
        events: Table,
        held: frozenset[Coordinate],
        ingested_at: datetime,
    ) -> Tally:
        """Read what is planned, or as much as time and memory allow; hand its rows to the writer."""
        tally = Tally()
        enough_at = time.monotonic() + self._limits.max_s
        parts = self._source.read(planned.identity, planned.ranges, self._limits.fetch_bytes)
        with closing(ahead(parts)) as coming:
            for part in coming:
                failpoint("ingest.fetched")
                done = processor.process(part.records, held, events, ingested_at)
                tally.add(part, done)
                self._writer.add(done.rows, _size(done.rows, part.records), events)
                # Or they would stay while the next part is read.
                del part, done
                if time.monotonic() > enough_at or tally.letters_bytes > self._limits.letters_bytes:
                    break
        return tally

    def _batch(
        self,
        planned: Plan,
        tally: Tally,
        held: frozenset[Coordinate],
        ingested_at: datetime,
    ) -> _Batch:
        ranges = tally.passed(planned.ranges)
        ends = {r.partition: r.end for r in ranges}
        was_held = Counter(p for p, offset in held if offset < ends.get(p, 0))
        holes = tally.holes(ranges, was_held)
        compacted = holes if any(holes.values()) and self._source.compacts() else {}
        return _Batch(
            ends=ends,
            entries=tally.entries(ranges, was_held, compacted),
            letters=letter_rows(tally.letters, planned.identity, self._run_id, ingested_at),
            tally=tally,
        )

    def _claim(self, processor: Processor, planned: Plan, events: Table) -> None:
        """Fence out whoever began this batch: its commit of events can no longer land.

        It may be slow rather than dead, and may judge by other gates than this ingest; docs/adr/0004
        tells why nothing less will do.
        """
        commit(events, (), self._said(processor, planned, planned.next, ()))
        failpoint("ingest.claimed")

    def _commit_side(self, processor: Processor, planned: Plan, batch: _Batch, side: Table) -> None:
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
        self._land(side, files, self._said(processor, planned, advanced, entries), is_side=True)
        failpoint("ingest.after_side_commit")

    def _commit_events(
        self, processor: Processor, planned: Plan, batch: _Batch, events: Table
    ) -> CommittedOffsets:
        advanced = {p: batch.ends.get(p, at) for p, at in planned.next.items()}
        failpoint("ingest.before_event_files")
        files = self._writer.files()
        failpoint("ingest.before_event_commit")
        said = self._said(processor, planned, advanced, batch.entries)
        offsets = self._land(events, files, said, is_side=False)
        failpoint("ingest.after_event_commit")
        return offsets

    def _said(
        self,
        processor: Processor,
        planned: Plan,
        advanced: Mapping[int, int],
        entries: tuple[Entry, ...],
    ) -> OffsetCommit:
        provenance = {RUN_ID_KEY: self._run_id, CONTRACT_VERSION_KEY: self._product.version}
        if versions := processor.reference_versions:
            provenance[REFERENCE_VERSIONS_KEY] = ",".join(
                f"{name}={digest}" for name, digest in sorted(versions.items())
            )
        return OffsetCommit(planned.identity, planned.first, advanced, entries, provenance)

    def _land(
        self, table: Table, files: tuple[DataFile, ...], said: OffsetCommit, *, is_side: bool
    ) -> CommittedOffsets:
        """Commit, again while commits that leave the offsets alone (maintenance's) come first."""
        before = committed_offsets(table)
        for _ in range(20):
            try:
                return commit(table, files, said)
            except CommitConflictError:
                table = ensure_tables(self._cell, self._product)[int(is_side)]
                refuse_rolled_back(table)
                if committed_offsets(table) != before:
                    raise
        return commit(table, files, said)

    def _repair(self, processor: Processor, planned: Plan, events: Table, side: Table) -> None:
        """Read again, for the dead letters table alone, what events already hold."""
        planned_part = [
            Range(r.partition, r.start, min(r.end, r.start + self._limits.max_records))
            for r in planned.repairs
        ]
        settled = held_coordinates(events, planned.identity.topic_id, planned_part)
        now = self._clock()
        found: list[DeadLetter] = []
        reached: dict[int, int] = {}
        for read in self._source.read(planned.identity, planned_part, self._limits.fetch_bytes):
            found += processor.letters_of(read.records, settled, now)
            reached.update(read.positions)
            if sum(letter.memory_bytes for letter in found) > self._limits.letters_bytes:
                break
        part = [
            Range(r.partition, r.start, reached.get(r.partition, r.start)) for r in planned_part
        ]
        advanced = {**planned.side_next, **{r.partition: r.end for r in part}}
        counts = Counter(letter.record.partition for letter in found)
        entries = tuple(
            Entry(r.partition, r.start, r.end, dead_letters=counts[r.partition])
            for r in part
            if len(r)
        )
        files = write_files(side, letter_rows(found, planned.identity, self._run_id, now))
        self._land(side, files, self._said(processor, planned, advanced, entries), is_side=True)

    def _committed(self, planned: Plan, batch: _Batch, offsets: CommittedOffsets) -> Committed:
        tally = batch.tally
        return Committed(
            snapshot_id=offsets.snapshot_id,
            committed_at=offsets.committed_at,
            ranges={entry.partition: (entry.start, entry.end) for entry in batch.entries},
            **asdict(total(batch.entries)),
            reasons=Counter(letter.reason.value for letter in tally.letters),
            rules=tally.rules,
            lag=planned.lag - sum(entry.end - entry.start for entry in batch.entries),
        )

    def _refuse_stopped(self) -> None:
        if self._stop.is_set():
            raise StopAskedError


@dataclass(frozen=True)
class _Batch:
    """What has been read of a plan: where it ends, what the books say of it, and its dead letters."""

    ends: Mapping[int, int]
    entries: tuple[Entry, ...]
    letters: pa.Table
    tally: Tally


def _size(rows: pl.DataFrame, records: Records) -> int:
    """Return about how much memory `rows` keep: views of 16 bytes, and the bytes they point into."""
    return 16 * rows.width * rows.height + len(records.data)
