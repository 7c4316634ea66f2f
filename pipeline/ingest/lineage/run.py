"""The lineage of one ingest, told as it goes."""

from __future__ import annotations

import pyarrow as pa
from openlineage.client.event_v2 import RunState

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.contract.targets.iceberg import events_schema
from pipeline.contract.targets.rules import CompiledRule, compile_rules
from pipeline.errors import HeadwaterError
from pipeline.ingest.lineage.events import SoFar, ingest_event
from pipeline.ingest.report import CommittedBatch, IngestReport
from pipeline.ledger.model import Entry, merge_entries
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.runs import ParentRun
from pipeline.lineage.told import Cadence, ending


class IngestLineage:
    """Emits START when the topic is first known, RUNNING now and then, then how it ended and what was done.

    An ingest that fails before it saw its topic has START and FAIL, both without the topic's id; one that
    is killed has no end; one that is interrupted, or asked to stop before it had caught up with what it
    was asked for, ends in ABORT. What an error without a name says is not told: it may quote data.
    """

    def __init__(
        self,
        cell: Cell,
        product: Product,
        run_id: str,
        clock: Clock,
        parent: ParentRun | None = None,
    ) -> None:
        self._cell = cell
        self._product = product
        self._run_id = run_id
        self._clock = clock
        self._parent = parent
        self._topic_id: str | None = None
        self._schema, self._rules = _schema(product), _rules(product)
        self._entries: tuple[Entry, ...] = ()
        self._emitter = Emitter(cell, run_id)
        self._cadence = Cadence(clock)

    def started(self, topic_id: str) -> None:
        """The ingest has planned a batch of this topic."""
        if self._topic_id is None:
            self._topic_id = topic_id
            self._emit(RunState.START, topic_id, IngestReport())

    def committed(self, batch: CommittedBatch, report: IngestReport) -> None:
        """A batch is committed, and counted into `report`; that is told of once in minutes."""
        self._entries = merge_entries((*self._entries, *batch.entries))
        if self._cadence.is_due():
            self._emit(RunState.RUNNING, self._topic_id, report)

    def follow(self, product: Product) -> None:
        """The ingest goes on by another version of the contract."""
        self._product = product
        self._schema, self._rules = _schema(product), _rules(product)

    def ended(
        self, report: IngestReport, error: BaseException | None = None, *, cut_short: bool = False
    ) -> None:
        """The ingest is over, because of `error` if there is one."""
        if error is not None:
            if self._topic_id is None:
                self._emit(RunState.START, None, IngestReport())
            how = ending(error)
            self._emit(how.state, self._topic_id, report, how.why)
        elif self._topic_id is not None:
            state = RunState.ABORT if cut_short else RunState.COMPLETE
            self._emit(state, self._topic_id, report)

    def _emit(
        self, state: RunState, topic_id: str | None, report: IngestReport, why: str | None = None
    ) -> None:
        event = ingest_event(
            state,
            self._cell,
            self._product,
            self._run_id,
            self._clock(),
            SoFar(topic_id, report, self._entries, self._schema, self._rules),
            parent=self._parent,
            why=why,
        )
        self._emitter.emit(event)


def _rules(product: Product) -> tuple[CompiledRule, ...]:
    try:
        return compile_rules(product)
    except HeadwaterError:
        return ()


def _schema(product: Product) -> pa.Schema | None:
    try:
        return events_schema(product)
    except HeadwaterError:
        # The ingest itself is about to say so.
        return None
