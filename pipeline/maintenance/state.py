"""What maintenance last left of a table: kept beside the cell, lost without harm."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipeline.cells import Cell
from pipeline.files import write_atomically


@dataclass(frozen=True)
class MaintenanceState:
    """How many data files the last compaction left, and when the last sweep was; None: not known."""

    files_left: int | None = None
    swept_at: datetime | None = None


def read_state(cell: Cell, table: str) -> MaintenanceState:
    """Return what is known of `table`. A file that cannot be read says nothing: a step is done again."""
    try:
        document = json.loads(_path(cell, table).read_text())
        swept_at = document["swept_at"]
        return MaintenanceState(
            document["files_left"], None if swept_at is None else datetime.fromisoformat(swept_at)
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return MaintenanceState()


def keep_state(
    cell: Cell, table: str, *, files_left: int | None = None, swept_at: datetime | None = None
) -> None:
    """Keep what is given; the rest stays. Of two who do it at once, the later one's stays."""
    state = read_state(cell, table)
    if files_left is not None:
        state = replace(state, files_left=files_left)
    if swept_at is not None:
        state = replace(state, swept_at=swept_at)
    path = _path(cell, table)
    path.parent.mkdir(parents=True, exist_ok=True)
    at = state.swept_at
    document = {"files_left": state.files_left, "swept_at": None if at is None else at.isoformat()}
    write_atomically(path, json.dumps(document) + "\n")


def _path(cell: Cell, table: str) -> Path:
    return cell.root / "maintenance" / f"{table}.json"
