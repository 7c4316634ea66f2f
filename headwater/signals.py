"""Ending long work on SIGTERM and Ctrl-C, in time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

import click

Result = TypeVar("Result")

PATIENCE_S = 8.0
"""How long work that is asked to stop may take before the process ends without it."""
_LOOK_S = 0.2


def until_signalled(work: Callable[[threading.Event], Result]) -> tuple[Result, int | None]:
    """Return what `work` returns, and the first signal received (None if there was none).

    SIGTERM and SIGINT set the event that `work` is given. If it has not returned `PATIENCE_S`
    seconds later, or at a second signal, the process ends at once with exit code 128 + the signal:
    `work` must bear being killed. Call it in the main thread.

    Raises: what `work` raises.
    """
    stop = threading.Event()
    received: list[int] = []
    results: list[Result] = []
    failures: list[BaseException] = []

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        stop.set()

    def run() -> None:
        try:
            results.append(work(stop))
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    # A thread of its own: a handler cannot run while the main thread waits in native code, as for
    # the lock of a catalog.
    worker = threading.Thread(target=run, name="work", daemon=True)
    worker.start()
    asked_at = None
    while worker.is_alive():
        worker.join(_LOOK_S)
        if received and asked_at is None:
            asked_at = time.monotonic()
        if asked_at and (len(received) > 1 or time.monotonic() - asked_at > PATIENCE_S):
            click.echo("stopped in the middle of a batch; nothing is lost or doubled", err=True)
            os._exit(128 + received[0])
    if failures:
        raise failures[0]
    return results[0], received[0] if received else None
