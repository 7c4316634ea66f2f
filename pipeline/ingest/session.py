"""One ingest's connections and its two steps: plan a micro-batch, execute the plan."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from types import TracebackType

import polars as pl
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.failpoints import failpoint
from pipeline.ingest.commit.accounting import Tally
from pipeline.ingest.commit.commits import Batch, Landing
from pipeline.ingest.commit.missed_dead_letters import missed_letters
from pipeline.ingest.commit.rows_writer import RowsWriter
from pipeline.ingest.commit.tables import IngestTables
from pipeline.ingest.failures.isolate import Rehearsal
from pipeline.ingest.failures.isolation import Narrowing, quarantined
from pipeline.ingest.failures.unnamed import UNNAMED, is_unnamed
from pipeline.ingest.limits import Limits
from pipeline.ingest.plan import Plan, TopicState, plan
from pipeline.ingest.read.coordinates import Coordinate, held_letters
from pipeline.ingest.read.prefetch import ahead
from pipeline.ingest.read.source import ContractChangedError, Source, StopAskedError
from pipeline.ingest.report import Committed
from pipeline.ingest.transform.frame import letter_rows
from pipeline.ingest.transform.held_back import HeldBack, HeldBackError, Waiting
from pipeline.ingest.transform.process import Processor
from pipeline.ingest.transform.set_aside import Aside
from pipeline.kafka.records import Records
from pipeline.ledger.model import total
from pipeline.schemas.open import open_registry
from pipeline.tables.errors import named_errors
from pipeline.tables.offsets import CommittedOffsets, committed_offsets
from pipeline.tables.quarantines import Quarantine, quarantines
from pipeline.tables.snapshots import refuse_rolled_back

__all__ = ["ContractChangedError", "Session", "StopAskedError"]


class Session:
    """The connections, schemas and de-duplication state of one ingest. Close it when done.

    Attributes:
        look_at_contract: looks at the contract on disk now, lets this session `follow` one that has
            changed, and returns whether it did.
    """

    look_at_contract: Callable[[], bool]

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
        self.look_at_contract = bool
        self._subject = f"{product.name}/{cell.name}"
        self._source = Source(cell, product, stop)
        self._writer = RowsWriter(limits.rows_bytes)
        self._made: tuple[Processor, Landing] | None = None
        self._known_snapshot: int | None = None
        self._is_stale = True
        self._narrowing = self._new_narrowing()
        self._set_aside: tuple[Quarantine, ...] = ()
        self._topic: TopicState | None = None
        self._following: Product | None = None
        self._contracted: IngestTables | None = None
        self._tables: tuple[Table, Table] | None = None
        self._waiting = Waiting()
        self._unlisted = 0

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

    def follow(self, product: Product) -> None:
        """Go on by another version of the contract, from the next plan on. Safe while a plan is executed."""
        self._following = product

    @property
    def held_back(self) -> tuple[HeldBack, ...]:
        """The partitions that wait for the contract."""
        return self._waiting.now

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
        if self._following is not None:
            self.reset()
            self._product, self._following = self._following, None
            self._source = Source(self._cell, self._product, self._stop)
            self._made = self._contracted = None
            self._waiting.forget()
            self._unlisted = 0
            self._narrowing = self._new_narrowing()
        events, side = self._tables = self._followed().load()
        refuse_rolled_back(events)
        refuse_rolled_back(side)
        topic = self._source.look(is_new=committed_offsets(events) is None)
        self._topic = topic
        committed = committed_offsets(events)
        if (aside := quarantines(side)) != self._set_aside:
            # What waits for the contract may be set aside now.
            self._set_aside = aside
            self._waiting.forget()
        planned = plan(
            self._subject,
            topic,
            committed,
            committed_offsets(side),
            self._limits,
            self._waiting.capped(targets or topic.stable, committed.next if committed else {}),
        )
        failpoint("ingest.planned")
        return self._narrowing.failed.cut(planned)

    def execute(self, planned: Plan) -> Committed | None:
        """Carry `planned` out; returns what was committed to events, None where to plan again.

        That is so if only repairs were due, if records were met that are to wait (then the next plan ends
        before them), and where it failed without a name: the records that cause it are known then, and
        are dead letters of the next plan.

        Raises:
            BatchFailedError: it fails without a name at every attempt, and no record does by itself.
            CommitConflictError: somebody else moved the offsets first: plan again.
            CommitUnknownError: the outcome is open: plan again.
            StopAskedError: `stop` was set before anything of the plan was committed.
            CatalogUnavailableError, WarehouseUnavailableError: try again later.
        """
        try:
            with named_errors(self._subject):
                committed = self._execute(planned)
        except UNNAMED as error:
            if self._made is None or self._tables is None or not is_unnamed(error):
                raise
            self.reset()
            self._writer.forget()
            processor, _ = self._made
            rehearsal = self._rehearsal(processor, planned, self._tables)
            self._narrowing.narrow(self._source, rehearsal, self._tables[1], planned, error)
            return None
        landed = {} if committed is None else committed.ranges
        self._narrowing.failed.landed({partition: end for partition, (_, end) in landed.items()})
        return committed

    def _execute(self, planned: Plan) -> Committed | None:
        if self._tables is None or self._topic is None:
            raise RuntimeError("execute follows plan")
        events, side = self._tables
        processor, landing = self._steps(planned)
        if planned.repairs:
            self._repair(processor, landing, planned, self._tables)
            return None
        # Somebody else's commit may have brought uuids that are not known here.
        head = events.metadata.current_snapshot_id
        if self._is_stale:
            processor.forget()
        elif head != self._known_snapshot:
            processor.deduplicator.forget()
        # Until the commit, what is known of uuids is ahead of the table.
        self._is_stale = True
        self._writer.forget()
        ingested_at = self._clock()
        held = held_letters(side, planned.identity.topic_id, planned.redone)
        aside = Aside(
            frozenset(held), quarantined(planned, side), self._narrowing.failed.unwritable
        )
        try:
            tally = self._process(processor, planned, events, aside, ingested_at)
        except HeldBackError as error:
            self._look_again(processor)
            self._waiting.add(error.found)
            return None
        batch = self._batch(planned, tally, held, ingested_at)
        failpoint("ingest.decoded")
        self._refuse_stopped()
        if planned.redone:
            landing.claim(planned, events)
        self._writer.write(events)
        landing.letters(planned, batch, side)
        offsets = landing.events(planned, batch, self._writer, events)
        processor.deduplicator.trim()
        self._known_snapshot, self._is_stale = offsets.snapshot_id, False
        return self._committed(planned, batch, held, offsets)

    def _rehearsal(
        self, processor: Processor, planned: Plan, tables: tuple[Table, Table]
    ) -> Rehearsal:
        return Rehearsal(processor, tables, planned.identity, self._stop, self._clock())

    def _steps(self, planned: Plan) -> tuple[Processor, Landing]:
        """Return what processes and commits, made with the topic's identity that is planned first."""
        if self._made is None:
            processor = Processor(
                self._product,
                open_registry(self._cell),
                planned.identity,
                self._run_id,
                self._limits.known_bytes,
            )
            tables = self._followed()
            self._made = processor, Landing(self._product, tables, processor, self._run_id)
        return self._made

    def _new_narrowing(self) -> Narrowing:
        return Narrowing(self._product.name, self._cell.name, self._limits, self._stop)

    def _followed(self) -> IngestTables:
        if self._contracted is None:
            self._contracted = IngestTables(self._cell, self._product)
        return self._contracted

    def _repair(
        self, processor: Processor, landing: Landing, planned: Plan, tables: tuple[Table, Table]
    ) -> None:
        events, side = tables
        now = self._clock()
        missed = missed_letters(
            self._source,
            processor,
            self._rehearsal(processor, planned, tables),
            planned,
            events,
            quarantined(planned, side),
            self._limits,
            now,
        )
        rows = letter_rows(missed.letters, planned.identity, self._run_id, now)
        landing.repaired(planned, missed.entries, rows, side)

    def _process(
        self,
        processor: Processor,
        planned: Plan,
        events: Table,
        aside: Aside,
        ingested_at: datetime,
    ) -> Tally:
        """Read what is planned, or as much as time and memory allow; hand its rows to the writer."""
        tally = Tally()
        enough_at = time.monotonic() + self._limits.max_s
        parts = self._source.read(planned.identity, planned.ranges, self._limits.fetch_bytes)
        with closing(ahead(parts)) as coming:
            for part in coming:
                failpoint("ingest.fetched")
                done = processor.process(part.records, aside, events, ingested_at)
                self._look_again(processor)
                tally.add(part, done)
                self._writer.add(done.rows, _size(done.rows, part.records), events)
                # Or they would stay while the next part is read.
                del part, done
                if time.monotonic() > enough_at or tally.letters_bytes > self._limits.letters_bytes:
                    break
        return tally

    def _look_again(self, processor: Processor) -> None:
        """Look at the contract where a version was met that it does not list: it may do so by now."""
        if processor.unlisted > self._unlisted:
            self._unlisted = processor.unlisted
            if self.look_at_contract():
                raise ContractChangedError

    def _batch(
        self,
        planned: Plan,
        tally: Tally,
        held: Mapping[Coordinate, str],
        ingested_at: datetime,
    ) -> Batch:
        ranges = tally.passed(planned.ranges)
        ends = {r.partition: r.end for r in ranges}
        was_held = Counter(p for p, offset in held if offset < ends.get(p, 0))
        holes = tally.holes(ranges, was_held)
        compacted = holes if any(holes.values()) and self._source.compacts() else {}
        return Batch(
            ends=ends,
            entries=tally.entries(ranges, was_held, compacted),
            letters=letter_rows(tally.letters, planned.identity, self._run_id, ingested_at),
            tally=tally,
        )

    def _committed(
        self,
        planned: Plan,
        batch: Batch,
        held: Mapping[Coordinate, str],
        offsets: CommittedOffsets,
    ) -> Committed:
        tally = batch.tally
        reasons = Counter(letter.reason.value for letter in tally.letters)
        reasons.update(why for (p, at), why in held.items() if at < batch.ends.get(p, 0))
        return Committed(
            snapshot_id=offsets.snapshot_id,
            committed_at=offsets.committed_at,
            ranges={entry.partition: (entry.start, entry.end) for entry in batch.entries},
            **asdict(total(batch.entries)),
            reasons=reasons,
            rules=tally.rules,
            singly=tally.singly,
            lag=planned.lag - sum(entry.end - entry.start for entry in batch.entries),
            held_back={one.partition: one.offset for one in self.held_back},
        )

    def _refuse_stopped(self) -> None:
        if self._stop.is_set():
            raise StopAskedError


def _size(rows: pl.DataFrame, records: Records) -> int:
    """Return about how much memory `rows` keep: views of 16 bytes, and the bytes they point into."""
    return 16 * rows.width * rows.height + len(records.data)
