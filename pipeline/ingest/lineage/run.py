"""The lineage of one ingest, told as it goes."""

from __future__ import annotations

from openlineage.client.event_v2 import RunState

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.ingest.lineage.events import ingest_event
from pipeline.ingest.report import IngestReport
from pipeline.lineage.emitter import Emitter


class IngestLineage:
    """Emits START when the topic is first known, then COMPLETE or FAIL with what was done.

    An ingest that fails before it saw its topic has START and FAIL, both without the topic's id; one that
    is killed has no end. What an error without a name says is not told: it may quote data.
    """

    def __init__(self, cell: Cell, product: Product, run_id: str, clock: Clock) -> None:
        self._cell = cell
        self._product = product
        self._run_id = run_id
        self._clock = clock
        self._topic_id: str | None = None
        self._emitter = Emitter(cell, run_id)

    def started(self, topic_id: str) -> None:
        """The ingest has planned a batch of this topic."""
        if self._topic_id is None:
            self._topic_id = topic_id
            self._emit(RunState.START, topic_id, IngestReport())

    def follow(self, product: Product) -> None:
        """The ingest goes on by another version of the contract."""
        self._product = product

    def ended(self, report: IngestReport, error: BaseException | None = None) -> None:
        """The ingest is over, because of `error` if there is one."""
        if error is not None:
            if self._topic_id is None:
                self._emit(RunState.START, None, IngestReport())
            why = str(error) if isinstance(error, HeadwaterError) else type(error).__name__
            self._emit(RunState.FAIL, self._topic_id, report, why)
        elif self._topic_id is not None:
            self._emit(RunState.COMPLETE, self._topic_id, report)

    def _emit(
        self, state: RunState, topic_id: str | None, report: IngestReport, why: str | None = None
    ) -> None:
        event = ingest_event(
            state,
            self._cell,
            self._product,
            self._run_id,
            self._clock(),
            topic_id=topic_id,
            records=report.offsets - report.gaps,
            snapshot_id=report.snapshot_id,
            rows=report.rows,
            dead_letters=report.dead_letters,
            why=why,
        )
        self._emitter.emit(event)
