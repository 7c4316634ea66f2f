"""What an ingest does about a batch that failed without a name, and what it remembers of it."""

from __future__ import annotations

from pipeline.ingest.context import IngestContext
from pipeline.ingest.failures.dry_run import DryRun
from pipeline.ingest.failures.failed_batch import BatchFailedError, FailedBatches
from pipeline.ingest.failures.isolate import IsolatedRecords, isolate
from pipeline.ingest.failures.unnamed import UNNAMED, is_unnamed
from pipeline.ingest.model import PlannedBatch
from pipeline.ingest.read.quarantined import planned_quarantines
from pipeline.ingest.read.source import Source
from pipeline.ingest.read.stored import stored_dead_letters
from pipeline.ingest.transform.exclude import Exclusions
from pipeline.ingest.transform.process import Processor
from pipeline.tables.errors import named_errors

PAUSE_S = 0.5
"""How long a batch that failed without a name is waited for before it is tried again."""


class FailureHandler:
    """Isolates the records that errors without a name come of.

    Attributes:
        batches: what is known of the batches that failed; the next plan heeds it.
    """

    def __init__(self, context: IngestContext, product: str) -> None:
        self._context = context
        self._product = product
        self.batches = FailedBatches()

    def handle(
        self, source: Source, processor: Processor, planned: PlannedBatch, error: BaseException
    ) -> None:
        """Find the records of `planned` that `error` came of.

        Raises:
            BatchFailedError: there are none, and it came too often.
            StopRequestedError, RetryableError: as `Source.read`.
        """
        plan, cell = planned.plan, self._context.cell.name
        found = IsolatedRecords()
        # A repair tries out each record by itself already.
        if not plan.repairs:
            try:
                with named_errors(f"{self._product}/{cell}"):
                    found = self._isolate(source, processor, planned)
            except UNNAMED as again:
                if not is_unnamed(again):
                    raise
        if not self.batches.may_retry(plan, found):
            ranges = plan.repairs or plan.ranges
            raise BatchFailedError(error, ranges, self._product, cell) from error
        if not found.unwritable:
            self._context.stop.wait(PAUSE_S)

    def _isolate(
        self, source: Source, processor: Processor, planned: PlannedBatch
    ) -> IsolatedRecords:
        plan, limits = planned.plan, self._context.limits
        dead_letters = planned.tables.dead_letters
        stored = stored_dead_letters(dead_letters, plan.identity.topic_id, plan.redone)
        quarantines = planned_quarantines(plan, dead_letters)
        exclusions = Exclusions(frozenset(stored), quarantines, self.batches.unwritable)
        error_of = DryRun(processor, planned, self._context, self._context.clock()).error_of
        return isolate(source, error_of, plan, exclusions, limits.fetch_bytes, limits.max_s)
