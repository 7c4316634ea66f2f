"""What one ingest is run with, and the signals that end a micro-batch of it before its commit."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.ingest.limits import Limits


class StopRequestedError(Exception):
    """The ingest was asked to stop, and the batch in hand is abandoned."""


class ContractChangedError(Exception):
    """Another version of the contract was taken up: the batch in hand is abandoned, and planned again."""


@dataclass(frozen=True)
class IngestContext:
    """What stays the same for as long as an ingest lasts, whatever its contract says."""

    cell: Cell
    limits: Limits
    run_id: str
    stop: threading.Event
    clock: Clock

    def check_stop(self) -> None:
        """Go on, unless the ingest is to stop.

        Raises:
            StopRequestedError: it is.
        """
        if self.stop.is_set():
            raise StopRequestedError
