"""How long one run of an ingest may last."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pipeline.code_version import code_version

LONGEST_S = 6 * 3600.0
LOOK_S = 30.0


def lifetime(
    contract_folder: Path,
    *,
    longest_s: float = LONGEST_S,
    look_s: float = LOOK_S,
    seconds: Callable[[], float] = time.monotonic,
) -> Callable[[], bool]:
    """Return a function that tells whether a run started now should end.

    True after `longest_s` seconds, or once the code version has changed, which is looked at every `look_s`
    seconds.
    """
    started = looked_at = seconds()
    version = code_version(contract_folder)
    changed = False

    def ended() -> bool:
        nonlocal looked_at, changed
        now = seconds()
        if not changed and now - looked_at >= look_s:
            looked_at = now
            changed = code_version(contract_folder) != version
        return changed or now - started >= longest_s

    return ended
