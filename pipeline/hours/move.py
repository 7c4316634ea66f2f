"""Moving a cell's state from its SQLite file to PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing

from pipeline.cells import Cell
from pipeline.errors import TerminalError
from pipeline.hours.closings import ClosingStore
from pipeline.hours.fence import FenceStore
from pipeline.hours.settled import SettledStore
from pipeline.state.open import moved_file, open_shared_state
from pipeline.state.port import StateUnavailableError
from pipeline.state.sqlite import SqliteState

_TABLES = ("hour_fences", "hour_watches", "hour_closings", "table_watches", "settled_hours")


class StateNotSharedError(TerminalError):
    """The cell's settings name no place to move its state to."""


def move_state(cell: Cell) -> Mapping[str, int]:
    """Copy what the cell's SQLite file has to PostgreSQL, then put the file aside.

    Returns how many rows of each table were read; nothing where there is no file. What is noted there
    already stays. Ended at any moment, the next call does it again. Nothing else may use the file meanwhile:
    what is noted in it after it was read is not moved.

    Raises:
        StateNotSharedError: the cell has no `state_uri`.
        StateUnavailableError: another process has the file open, or PostgreSQL does not answer.
        StateRefusedError, CatalogNotSupportedError: what `state_uri` says cannot be used.
        FileDamagedError, DiskFullError: the file cannot be read.
    """
    if cell.state_uri is None:
        raise StateNotSharedError(
            "it has no `state_uri`.",
            subject=f"cell {cell.name}",
            remedy="Set it in headwater.toml: docs/how-to/several-machines.md.",
        )
    if not cell.state_db.exists():
        return {}
    here, there = SqliteState(cell.state_db), open_shared_state(cell.state_uri, cell.name)
    for state in (here, there):
        FenceStore(state)
        ClosingStore(state)
        SettledStore(state)
    with here.reading() as source:
        rows = {
            table: source.execute("SELECT * FROM {at}" + table)  # noqa: S608 - a name of ours
            for table in _TABLES
        }
    with there.writing() as target:
        for table, found in rows.items():
            values = ", ".join("?" * len(found[0])) if found else ""
            into = "INSERT INTO {at}" + table + f" VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608
            target.execute_many(into, found)
    _put_aside(cell)
    return {table: len(found) for table, found in rows.items()}


def _put_aside(cell: Cell) -> None:
    try:
        with closing(sqlite3.connect(cell.state_db, timeout=1)) as connection:
            # Into one file. Refused while another connection is open.
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise StateUnavailableError(
            f"another process uses the file ({error}).",
            subject=str(cell.state_db),
            remedy="Stop what runs on this host, then run the same again.",
        ) from error
    cell.state_db.replace(moved_file(cell))
