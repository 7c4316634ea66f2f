"""The cell's state: fences and locks."""

from __future__ import annotations

from headwater.doctor.folders import try_folder
from headwater.doctor.model import Finding, Setup, well
from pipeline.hours.fence import FenceStore
from pipeline.state.open import open_state

STATE = "state"


def ask(setup: Setup) -> tuple[Finding, ...]:
    """Write a file in its folder and remove it, and read fences where there are any."""
    cell = setup.cell
    folder = cell.state or cell.root
    how = try_folder(folder, STATE)
    if cell.state_db.exists():
        FenceStore(open_state(cell)).fences("")
    return (well(STATE, str(folder), how),)
