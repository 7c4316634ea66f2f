"""One micro-batch after the other: plan, then process and commit; recover where that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.failpoints import failpoint
from pipeline.ingest.commit.missed_dead_letters import missed_dead_letters
from pipeline.ingest.commit.rows_writer import RowsWriter
from pipeline.ingest.context import IngestContext
from pipeline.ingest.failures.unnamed import UNNAMED, is_unnamed
from pipeline.ingest.limits import Limits
from pipeline.ingest.model import PlannedBatch
from pipeline.ingest.report import CommittedBatch, summarize_batch
from pipeline.ingest.steps import Steps
from pipeline.ingest.transform.held_back import HeldBackError, HeldBackPartition
from pipeline.tables.errors import named_errors


class Session:
    """The connections, schemas and de-duplication state of one ingest. Close it when done.

    Attributes:
        contract_changed: looks at the contract on disk now, lets this session `follow` one that has
            changed, and returns whether it did.
    """

    contract_changed: Callable[[], bool]

    def __init__(
        self,
        cell: Cell,
        product: Product,
        limits: Limits,
        run_id: str,
        stop: threading.Event,
        clock: Clock,
    ) -> None:
        self._context = IngestContext(cell, limits, run_id, stop, clock)
        self.contract_changed = bool
        self._writer = RowsWriter(limits.rows_bytes)
        self._steps = self._steps_of(product)
        self._following: Product | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()
        self._steps.source.close()

    @property
    def held_back(self) -> tuple[HeldBackPartition, ...]:
        """The partitions that wait for the contract."""
        return self._steps.planner.held_back.now

    def follow(self, product: Product) -> None:
        """Go on by another version of the contract, from the next plan on. Safe while a plan is executed."""
        self._following = product

    def reset(self) -> None:
        """Forget what a failure may have made untrue: connections and known uuids."""
        self._steps.source.close()
        if self._steps.prepared is not None:
            self._steps.prepared.batches.forget()

    def plan(self, targets: Mapping[int, int] | None) -> PlannedBatch:
        """Look at tables and topic, and plan the next micro-batch, not beyond `targets`."""
        if self._following is not None:
            self.reset()
            self._steps, self._following = self._steps_of(self._following), None
        return self._steps.planner.plan(targets)

    def execute(self, planned: PlannedBatch) -> CommittedBatch | None:
        """Carry the latest plan out; returns what was committed to events, None where to plan again.

        That is so if only repairs were due, if records were met that are to wait (then the next plan ends
        before them), and where it failed without a name: the records that cause it are known then, and
        are dead letters of the next plan.

        Raises:
            BatchFailedError: it fails without a name at every attempt, and no record does by itself.
            CommitConflictError: somebody else moved the offsets first: plan again.
            CommitUnknownError: the outcome is open: plan again.
            StopRequestedError: `stop` was set before anything of the plan was committed.
            ContractChangedError: another version of the contract was taken up: plan again.
            CatalogUnavailableError, WarehouseUnavailableError: try again later.
        """
        failed = self._steps.failures.batches
        try:
            with named_errors(self._steps.subject):
                committed = self._execute(planned)
        except UNNAMED as error:
            if self._steps.prepared is None or not is_unnamed(error):
                raise
            self._recover(planned, error)
            return None
        ranges = {} if committed is None else committed.ranges
        failed.forget_committed({partition: end for partition, (_, end) in ranges.items()})
        return committed

    def _execute(self, planned: PlannedBatch) -> CommittedBatch | None:
        step = self._steps.prepare(planned.plan.identity)
        if planned.plan.repairs:
            self._repair(planned)
            return None
        try:
            batch = step.batches.process(planned, self._steps.failures.batches.unwritable)
        except HeldBackError as error:
            self._steps.planner.held_back.add(error.found)
            return None
        failpoint("ingest.decoded")
        self._context.check_stop()
        offsets = step.committer.commit(planned, batch)
        step.batches.committed(offsets)
        return summarize_batch(planned.plan, batch, offsets, self.held_back)

    def _repair(self, planned: PlannedBatch) -> None:
        """Commit the dead letters that events tell of and their own table has not."""
        step = self._steps.prepare(planned.plan.identity)
        missed = missed_dead_letters(self._steps.source, step.processor, planned, self._context)
        step.committer.commit_repair(planned, missed)

    def _recover(self, planned: PlannedBatch, error: BaseException) -> None:
        """Find the records that `error` came of: they are dead letters of the next plan."""
        step = self._steps.prepare(planned.plan.identity)
        self.reset()
        self._writer.forget()
        self._steps.failures.handle(self._steps.source, step.processor, planned, error)

    def _steps_of(self, product: Product) -> Steps:
        return Steps(self._context, product, self._writer, lambda: self.contract_changed())
