"""A run that tells of itself from its start to its end, whatever ends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.facets.common import PRODUCER, error, run_uuid
from pipeline.lineage.jobs import product_job
from pipeline.lineage.runs import HEADWATER, ParentRun, run_of

RUNNING_EVERY = timedelta(minutes=5)
"""How often a run that goes on says so, at most."""


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        state: FAIL or ABORT.
        why: for people; nothing that an error without a name says, which may quote data.
    """

    state: RunState
    why: str


def ending(error: BaseException) -> Ending:
    """Return how a run ended that `error` was raised in: interrupted from outside it is aborted."""
    state = RunState.FAIL if isinstance(error, Exception) else RunState.ABORT
    return Ending(state, str(error) if isinstance(error, HeadwaterError) else type(error).__name__)


class Cadence:
    """Says when a run that goes on is to be told of again."""

    def __init__(self, clock: Clock, every: timedelta = RUNNING_EVERY) -> None:
        self._clock = clock
        self._every = every
        self._last = clock()

    def is_due(self) -> bool:
        """Whether it is; if so, not again for as long."""
        now: datetime = self._clock()
        if now - self._last < self._every:
            return False
        self._last = now
        return True


@dataclass
class ToldRun:
    """What a run says of itself, as far as it is known.

    Attributes:
        inputs, outputs: may grow while it goes on.
        why: why it counts as failed, though nothing was raised.
    """

    emitter: Emitter
    job: Job
    run: Run
    clock: Clock
    inputs: Sequence[InputDataset] = ()
    outputs: Sequence[OutputDataset] = ()
    why: str | None = None
    _cadence: Cadence = field(init=False)

    def __post_init__(self) -> None:
        self._cadence = Cadence(self.clock)

    def goes_on(self) -> None:
        """Say that it goes on, if it was not said lately."""
        if self._cadence.is_due():
            self.emit(RunState.RUNNING)

    def emit(self, state: RunState, why: str | None = None) -> None:
        """Tell of it as it is now."""
        run = self.run
        if why is not None:
            run = Run(runId=run.runId, facets={**(run.facets or {}), **error(why)})
        self.emitter.emit(
            RunEvent(
                eventTime=self.clock().isoformat(),
                producer=PRODUCER,
                eventType=state,
                run=run,
                job=self.job,
                inputs=list(self.inputs),
                outputs=list(self.outputs),
            )
        )


@contextmanager
def told(run: ToldRun) -> Iterator[ToldRun]:
    """Tell of a run: START before the block; after it COMPLETE, or FAIL or ABORT as what ended it."""
    run.emit(RunState.START)
    try:
        yield run
    except BaseException as raised:
        how = ending(raised)
        run.emit(how.state, how.why)
        raise
    run.emit(RunState.COMPLETE if run.why is None else RunState.FAIL, run.why)


def product_run(
    cell: Cell,
    product: Product,
    name: str,
    description: str,
    run_id: str,
    clock: Clock,
    parent: ParentRun | None = None,
) -> ToldRun:
    """Return a run of the product's job `name`, which is told of in the file of `run_id`."""
    return ToldRun(
        Emitter(cell, run_id),
        product_job(cell, product, name, description),
        run_of(run_uuid(cell.name, product.name, name, run_id), HEADWATER, parent=parent),
        clock,
    )
