"""Named places where a test may end the process, as a crash there would.

A failpoint does nothing unless it is armed: by `HEADWATER_FAILPOINT=name:visit`, which is read once per
process, or by `arm`. Then the process is ended with SIGKILL at that place's `visit`-th visit (1 when left
out).
"""

from __future__ import annotations

import os
import signal
from functools import cache

from pipeline.settings import SettingInvalidError, load_settings


def failpoint(name: str) -> None:
    """End the process with SIGKILL if `name` is armed for this visit.

    Raises:
        SettingInvalidError: the environment cannot be used.
    """
    left = _visits_left()
    if name in left:
        left[name] -= 1
        if left[name] == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(place: str) -> None:
    """Arm `name:visit` in this process, in place of what is armed in it. Visits count from here.

    Raises:
        SettingInvalidError: `place` is no such text, or the environment cannot be used.
    """
    left = _visits_left()
    left.clear()
    left.update(_parsed(place))


@cache
def _visits_left() -> dict[str, int]:
    armed = load_settings().failpoint
    return {} if armed is None else _parsed(armed)


def _parsed(place: str) -> dict[str, int]:
    name, _, visit = place.partition(":")
    if visit and not (visit.isdecimal() and int(visit)):
        raise SettingInvalidError(
            f"{place!r} is not a failpoint and the number of a visit.",
            subject="HEADWATER_FAILPOINT",
            remedy="Write `name` or `name:visit`, the first visit being 1.",
        )
    return {name: int(visit or 1)}
