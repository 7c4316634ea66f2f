"""What an ingest does about a batch that failed without a name, and what it remembers of it."""

from __future__ import annotations

import threading

from pyiceberg.table import Table

from pipeline.ingest.failures.failed_batch import BatchFailedError, FailedBatches
from pipeline.ingest.failures.isolate import Narrowed, Rehearsal, narrow
from pipeline.ingest.failures.unnamed import UNNAMED, is_unnamed
from pipeline.ingest.limits import Limits
from pipeline.ingest.plan import Plan
from pipeline.ingest.read.coordinates import held_letters
from pipeline.ingest.read.source import Source
from pipeline.ingest.transform.set_aside import Aside
from pipeline.tables.errors import named_errors
from pipeline.tables.quarantines import Quarantine, quarantines

PAUSE_S = 0.5
"""How long a batch that failed without a name is waited for before it is tried again."""


class Narrowing:
    """Finds the records that errors without a name come of.

    Attributes:
        failed: what is known of the batches that failed; the next plan heeds it.
    """

    def __init__(self, product: str, cell: str, limits: Limits, stop: threading.Event) -> None:
        self._product = product
        self._cell = cell
        self._limits = limits
        self._stop = stop
        self.failed = FailedBatches()

    def narrow(
        self, source: Source, rehearsal: Rehearsal, side: Table, planned: Plan, error: BaseException
    ) -> None:
        """Find the records of `planned` that `error` came of; `side` are the dead letters as planned for.

        Raises:
            BatchFailedError: there are none, and it came too often.
            StopAskedError, RetryableError: as `Source.read`.
        """
        found = Narrowed()
        # A repair rehearses each record by itself already.
        if not planned.repairs:
            try:
                with named_errors(f"{self._product}/{self._cell}"):
                    found = self._culprits(source, rehearsal, side, planned)
            except UNNAMED as again:
                if not is_unnamed(again):
                    raise
        if not self.failed.narrowed(planned, found):
            ranges = planned.repairs or planned.ranges
            raise BatchFailedError(error, ranges, self._product, self._cell) from error
        if not found.unwritable:
            self._stop.wait(PAUSE_S)

    def _culprits(
        self, source: Source, rehearsal: Rehearsal, side: Table, planned: Plan
    ) -> Narrowed:
        held = held_letters(side, planned.identity.topic_id, planned.redone)
        aside = Aside(frozenset(held), quarantined(planned, side), self.failed.unwritable)
        return narrow(
            source, rehearsal, planned, aside, self._limits.fetch_bytes, self._limits.max_s
        )


def quarantined(planned: Plan, side: Table) -> tuple[Quarantine, ...]:
    """Return what was set aside of the ranges that are read."""
    return tuple(
        one
        for one in quarantines(side)
        if one.topic_id == planned.identity.topic_id
        and any(
            r.partition == one.partition and r.start < one.end and one.start < r.end
            for r in (*planned.ranges, *planned.repairs)
        )
    )
