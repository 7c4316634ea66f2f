"""Where OpenLineage events are kept, and for how long. Imports no OpenLineage."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pipeline.cells import Cell


def lineage_folder(cell: Cell) -> Path:
    """Return the folder of the cell's lineage: one file a run."""
    return cell.root / "lineage"


def delete_old_lineage(cell: Cell, before: datetime) -> int:
    """Delete the files of runs that told of nothing since `before`, and return how many."""
    deleted = 0
    for file in lineage_folder(cell).glob("*.jsonl"):
        # Another maintenance may be at it.
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < before.timestamp():
                file.unlink()
                deleted += 1
    return deleted
