"""Where a cell's state is."""

from __future__ import annotations

from pathlib import Path

from pipeline.cells import Cell
from pipeline.errors import TerminalError
from pipeline.state.port import State
from pipeline.state.sqlite import SqliteState


class StateElsewhereError(TerminalError):
    """The cell's settings say that its state is in one place, and what was noted so far is in another."""


def open_state(cell: Cell) -> State:
    """Return the cell's state: where `state_uri` says, else its SQLite file, created where absent.

    Raises:
        StateElsewhereError: state was kept in the other one of both, and `move_state` has not moved it.
        CatalogNotSupportedError: `state_uri` is no address of PostgreSQL, or psycopg is not installed.
        Others: as `State`.
    """
    if cell.state_uri is None:
        _refuse_moved(cell)
        return SqliteState(cell.state_db)
    if cell.state_db.exists():
        raise StateElsewhereError(
            f"`state_uri` is set, and fences and closings are in {cell.state_db}.",
            subject=f"cell {cell.name}",
            remedy=f"Stop what runs on this host, then `headwater state move --cell {cell.name}`; or move "
            "the file away: fences and closings are then noted anew.",
        )
    return open_shared_state(cell.state_uri, cell.name)


def open_shared_state(uri: str, cell: str) -> State:
    """Return the state of a `cell` in PostgreSQL at `uri`, whatever lies in the cell's folder.

    Raises: as `open_state`, but for StateElsewhereError.
    """
    # Loads SQLAlchemy: only for who has it.
    from pipeline.catalogs.postgresql import address
    from pipeline.state.postgresql import PostgresqlState

    return PostgresqlState(address(uri, cell, "state_uri"), cell)


def moved_file(cell: Cell) -> Path:
    """Return where the cell's SQLite file is put aside once it has been moved."""
    return cell.state_db.with_name(f"{cell.state_db.name}.moved")


def _refuse_moved(cell: Cell) -> None:
    aside = moved_file(cell)
    if aside.exists() and not cell.state_db.exists():
        raise StateElsewhereError(
            f"its state was moved to PostgreSQL, of which {aside.name} tells, and `state_uri` is not set.",
            subject=f"cell {cell.name}",
            remedy=f"Set `state_uri` again; or move {aside} away: fences and closings are then noted anew.",
        )
