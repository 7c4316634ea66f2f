"""Named places where a test may end the process, as a crash there would.

A failpoint does nothing unless `HEADWATER_FAILPOINT=name:hits` names it; then the process is ended
with SIGKILL at that place's `hits`-th visit (1 when left out).
"""

from __future__ import annotations

import os
import signal
from collections import Counter

from pipeline.settings import load_settings

_visits: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """End the process with SIGKILL if the environment arms `name` for this visit."""
    armed = load_settings().failpoint
    if armed is None:
        return
    target, _, hits = armed.partition(":")
    if target != name:
        return
    _visits[name] += 1
    if _visits[name] == int(hits or 1):
        os.kill(os.getpid(), signal.SIGKILL)
