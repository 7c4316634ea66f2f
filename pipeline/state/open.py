"""Where a cell's state is."""

from __future__ import annotations

from pipeline.cells import Cell
from pipeline.state.port import State
from pipeline.state.sqlite import SqliteState


def open_state(cell: Cell) -> State:
    """Return the cell's state: its SQLite file, created with its folder where absent.

    Raises: as `State`.
    """
    return SqliteState(cell.state_db)
