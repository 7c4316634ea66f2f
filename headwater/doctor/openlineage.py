"""The collector of lineage: whether it answers."""

from __future__ import annotations

from dataclasses import replace

from headwater.doctor.model import Finding, Setup, well
from pipeline.lineage.collector import collector_of
from pipeline.lineage.files import lineage_folder
from pipeline.lineage.queue.status import queue_status
from pipeline.lineage.transports.open import look

OPENLINEAGE = "openlineage"
_QUICK_S = 3.0


def ask(setup: Setup) -> tuple[Finding, ...]:
    """See whether it answers, and what waits for it. A cell whose files are all has none."""
    collector = collector_of(setup.cell)
    if collector is None:
        folder = str(lineage_folder(setup.cell))
        return (well(OPENLINEAGE, folder, "events go to files alone."),)
    look(replace(collector, timeout_s=min(collector.timeout_s, _QUICK_S)))
    waiting = queue_status(setup.cell).events
    return (well(OPENLINEAGE, collector.address, f"it answers; events that wait: {waiting}."),)
