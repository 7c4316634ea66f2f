"""Telling of runs: each event is kept in the run's file, and sent to the cell's collector if it has one."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from openlineage.client.event_v2 import RunEvent

from pipeline.cells import Cell
from pipeline.errors import HeadwaterError
from pipeline.lineage.collector import collector_of
from pipeline.lineage.document import to_line
from pipeline.lineage.files import lineage_folder
from pipeline.lineage.queue.background import drain_beside
from pipeline.lineage.queue.store import Queue

_LOG = logging.getLogger(__name__)


class Emitter:
    """Appends the events of one run to `<cell's root>/lineage/<run id>.jsonl`, and has them sent.

    Lineage tells of the work and is never a reason to fail it, or to wait: an event that cannot be written is
    logged and lost; one that the collector does not take waits in `lineage/queue`. Several processes may
    tell of the same run.
    """

    def __init__(self, cell: Cell, run_id: str) -> None:
        """Write for the run `run_id` of `cell`; nothing is created before the first event."""
        self._cell = cell
        self.path: Path = lineage_folder(cell) / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', run_id)}.jsonl"

    def emit(self, *events: RunEvent) -> None:
        """Append events, in their order."""
        lines = [to_line(event) for event in events]
        try:
            self._append(lines)
            self._send(lines)
        except (OSError, HeadwaterError) as error:
            _LOG.warning("lineage event lost: %s", error)

    def _append(self, lines: Sequence[str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # In one call, so that lines of several writers stay whole.
        with self.path.open("ab", buffering=0) as file:
            file.write("".join(f"{line}\n" for line in lines).encode())

    def _send(self, lines: Sequence[str]) -> None:
        if collector_of(self._cell) is not None and lines:
            Queue.of(self._cell).put(lines)
            drain_beside(self._cell)
