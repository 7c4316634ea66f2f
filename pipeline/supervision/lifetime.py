"""How long one run of an ingest may last."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pipeline.code_version import code_version

MAX_RUN_S = 6 * 3600.0
CHECK_S = 30.0


def lifetime(
    contract_folder: Path,
    *,
    max_s: float = MAX_RUN_S,
    check_s: float = CHECK_S,
    seconds: Callable[[], float] = time.monotonic,
) -> Callable[[], bool]:
    """Return a function that tells whether a run started now should end.

    True after `max_s` seconds, or once the code version has changed, which is looked at every `check_s`
    seconds.
    """
    started = checked_at = seconds()
    version = code_version(contract_folder)
    changed = False

    def ended() -> bool:
        nonlocal checked_at, changed
        now = seconds()
        if not changed and now - checked_at >= check_s:
            checked_at = now
            changed = code_version(contract_folder) != version
        return changed or now - started >= max_s

    return ended
