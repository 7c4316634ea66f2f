"""One ingest's connections and its two steps: plan a micro-batch, execute the plan."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType

from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.failpoints import failpoint
from pipeline.ingest.batch import Processed, Processor
from pipeline.ingest.coordinates import held_coordinates
from pipeline.ingest.plan import Limits, Plan, Range, TopicState, plan
from pipeline.ingest.report import Committed, summed
from pipeline.ingest.source import Source, StopAskedError
from pipeline.ledger.model import Entry
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
        self._processor: Processor | None = None
        self._known_snapshot: int | None = None
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
        self._source.close()

    def reset(self) -> None:
        """Forget what a failure may have made untrue: connections and known uuids."""
        self._source.close()
        self._known_snapshot = None

    @property
    def targets(self) -> Mapping[int, int]:
        """The last stable offsets that the latest plan saw."""
        return {} if self._topic is None else self._topic.stable

    @property
    def is_started(self) -> bool:
        """Whether the events table has offsets already."""
        return self._tables is not None and committed_offsets(self._tables[0]) is not None

    def plan(self, targets: Mapping[int, int] | None) -> Plan:
        """Look at tables and topic, and plan the next micro-batch, not beyond `targets`."""
        events, side = self._tables = ensure_tables(self._cell, self._product)
        refuse_rolled_back(events)
        refuse_rolled_back(side)
        topic = self._source.look(is_new=committed_offsets(events) is None)
        if targets is not None:
            ends = {p: min(end, targets.get(p, end)) for p, end in topic.stable.items()}
            topic = replace(topic, stable=ends)
        self._topic = topic
        planned = plan(
            self._subject, topic, committed_offsets(events), committed_offsets(side), self._limits
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
            registry = open_registry(self._cell)
            self._processor = Processor(self._product, registry, planned.identity, self._run_id)
        if planned.repairs:
            self._repair(self._processor, planned, events, side)
            return None
        # Somebody else's commit may have brought uuids that are not known here.
        head = events.metadata.current_snapshot_id
        if head != self._known_snapshot:
            self._processor.deduplicator.forget()
        records = self._source.read(planned.identity, planned.ranges)
        failpoint("ingest.fetched")
        held = held_coordinates(side, planned.identity.topic_id, planned.redone)
        done = self._processor.process(records, planned.ranges, held, events, self._clock())
        failpoint("ingest.decoded")
        self._refuse_stopped()
        if planned.redone:
            self._claim(self._processor, planned, events)
        self._commit_side(self._processor, planned, done, side)
        offsets = self._commit_events(self._processor, planned, done, events)
        self._processor.deduplicator.remember(done.kept)
        self._known_snapshot = offsets.snapshot_id
        return self._committed(planned, done, offsets)

    def _claim(self, processor: Processor, planned: Plan, events: Table) -> None:
        """Fence out whoever began this batch: its commit of events can no longer land.

        It may be slow rather than dead, and may judge by other gates than this ingest; docs/adr/0004
        tells why nothing less will do.
        """
        commit(events, (), self._said(processor, planned, planned.next, ()))
        failpoint("ingest.claimed")

    def _commit_side(
        self, processor: Processor, planned: Plan, done: Processed, side: Table
    ) -> None:
        ends = {r.partition: r.end for r in planned.ranges}
        advanced = {p: max(at, ends.get(p, at)) for p, at in planned.side_next.items()}
        entries = tuple(
            Entry(
                partition=entry.partition,
                start=planned.side_next[entry.partition],
                end=advanced[entry.partition],
                dead_letters=entry.dead_letters,
            )
            for entry in done.entries
        )
        failpoint("ingest.before_side_files")
        files = write_files(side, done.letters)
        failpoint("ingest.before_side_commit")
        self._land(side, files, self._said(processor, planned, advanced, entries), is_side=True)
        failpoint("ingest.after_side_commit")

    def _commit_events(
        self, processor: Processor, planned: Plan, done: Processed, events: Table
    ) -> CommittedOffsets:
        ends = {r.partition: r.end for r in planned.ranges}
        advanced = {p: ends.get(p, at) for p, at in planned.next.items()}
        failpoint("ingest.before_event_files")
        files = write_files(events, done.rows)
        failpoint("ingest.before_event_commit")
        said = self._said(processor, planned, advanced, done.entries)
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
        part = [
            Range(r.partition, r.start, min(r.end, r.start + self._limits.max_records))
            for r in planned.repairs
        ]
        records = self._source.read(planned.identity, part)
        settled = held_coordinates(events, planned.identity.topic_id, part)
        letters = processor.letters_of(records, settled, self._clock())
        advanced = {**planned.side_next, **{r.partition: r.end for r in part}}
        found = Counter(letters.column("_topic_partition").to_pylist())
        entries = tuple(
            Entry(r.partition, r.start, r.end, dead_letters=found[r.partition]) for r in part
        )
        files = write_files(side, letters)
        self._land(side, files, self._said(processor, planned, advanced, entries), is_side=True)

    def _committed(self, planned: Plan, done: Processed, offsets: CommittedOffsets) -> Committed:
        return Committed(
            snapshot_id=offsets.snapshot_id,
            committed_at=offsets.committed_at,
            ranges={r.partition: (r.start, r.end) for r in planned.ranges},
            rows=summed(done.entries, "rows"),
            duplicates=summed(done.entries, "duplicates"),
            dead_letters=summed(done.entries, "dead_letters"),
            gaps=summed(done.entries, "gaps"),
            late=done.late,
            reasons=done.reasons,
            rules=done.rules,
            lag=planned.lag - sum(len(r) for r in planned.ranges),
        )

    def _refuse_stopped(self) -> None:
        if self._stop.is_set():
            raise StopAskedError
