"""Waiting for what was started: all at once, for they load beside each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from headwater.stack.process import Process, StartFailedError, tail

_LOOK_S = 0.1


@dataclass(frozen=True)
class Starting:
    """A process that was started, and may not answer yet.

    Attributes:
        subject: what it is, and where, for an error.
        is_ready: asks whether it answers; returns within seconds.
        timeout_s: how long it may take.
    """

    process: Process
    subject: str
    log: Path
    is_ready: Callable[[], bool]
    timeout_s: float


def wait_until_ready(all_starting: Iterable[Starting]) -> None:
    """Return once every one answers.

    Raises:
        StartFailedError: one has ended, or did not answer in time, and is stopped; the message has its log's
            end. The others go on.
    """
    began = time.monotonic()
    waiting = list(all_starting)
    while waiting:
        waiting = [one for one in waiting if not one.is_ready()]
        for one in waiting:
            if not one.process.alive or time.monotonic() - began > one.timeout_s:
                one.process.stop(1.0)
                raise StartFailedError(
                    f"it did not become ready.\n{tail(one.log)}\n",
                    subject=one.subject,
                    remedy=f"The whole log is {one.log}.",
                )
        if waiting:
            time.sleep(_LOOK_S)
