"""Keeping OpenLineage events: one JSON line an event, one file a run."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import RunEvent
from openlineage.client.transport.file import FileConfig, FileTransport

from pipeline.cells import Cell
from pipeline.lineage.files import lineage_folder

_LOG = logging.getLogger(__name__)


class Emitter:
    """Appends the events of one run to `<cell's root>/lineage/<run id>.jsonl`.

    Lineage tells of the work and is never a reason to fail it: an event that cannot be written is
    logged and lost. Not safe for several threads or processes with the same run id.
    """

    def __init__(self, cell: Cell, run_id: str) -> None:
        """Write for the run `run_id` of `cell`; nothing is created before the first event."""
        self.path: Path = lineage_folder(cell) / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', run_id)}.jsonl"

    def emit(self, *events: RunEvent) -> None:
        """Append events, in their order."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            transport = FileTransport(FileConfig(log_file_path=str(self.path), append=True))
            client = OpenLineageClient(transport=transport)
            for event in events:
                client.emit(event)
        except (OSError, RuntimeError) as error:
            _LOG.warning("lineage event lost: %s", error)
