"""The cell's state: fences and locks."""

from __future__ import annotations

from headwater.doctor.folders import try_folder
from headwater.doctor.model import Finding, Setup, well
from pipeline.config.secret_text import without_login
from pipeline.hours.fence import FenceStore
from pipeline.state.open import open_state

STATE = "state"


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Write a file in its folder and remove it, and read fences where there are any.

    Of state in PostgreSQL, tables that are absent are made.
    """
    cell = setup.cell
    folder = cell.state or cell.root
    found = [well(STATE, str(folder), try_folder(folder, STATE))]
    if cell.state_uri is not None:
        FenceStore(open_state(cell)).fences("")
        found.append(well(STATE, without_login(cell.state_uri), "it answers."))
    elif cell.state_db.exists():
        FenceStore(open_state(cell)).fences("")
    return tuple(found)
