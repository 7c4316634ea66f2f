"""Draining beside the work: one thread a cell, which no run waits for."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from pathlib import Path

from pipeline.cells import Cell
from pipeline.lineage.queue.drain import drain

_LOG = logging.getLogger(__name__)
AT_EXIT_S = 2.0
"""How long a process that ends waits for what is being sent."""


class _Worker:
    """Drains a cell's queue again and again, as long as it is asked to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._again = False
        self._thread: threading.Thread | None = None

    def ask(self, cell: Cell) -> None:
        with self._lock:
            self._again = True
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, args=(cell,), name=f"lineage {cell.name}", daemon=True
                )
                self._thread.start()

    def wait(self, within_s: float) -> bool:
        thread = self._thread
        if thread is not None:
            thread.join(max(0.0, within_s))
        return self._thread is None

    def _run(self, cell: Cell) -> None:
        while self._is_asked():
            try:
                drain(cell, at_once=False)
            except Exception as error:  # noqa: BLE001 - behind it is no one, and lineage fails nothing
                _LOG.warning("lineage events wait on disk: %s", type(error).__name__)

    def _is_asked(self) -> bool:
        with self._lock:
            asked, self._again = self._again, False
            if not asked:
                self._thread = None
            return asked


_workers: dict[tuple[int, Path], _Worker] = {}
"""By process, too: a child that was forked has none of its parent's threads."""


def drain_beside(cell: Cell) -> None:
    """Have what waits sent soon, without waiting for it. Never raises what sending raises."""
    _workers.setdefault((os.getpid(), cell.root), _Worker()).ask(cell)


def settle(within_s: float) -> bool:
    """Wait until nothing is being sent in this process, for `within_s` seconds; return whether that is so."""
    deadline = time.monotonic() + within_s
    settled = True
    for (pid, _), worker in list(_workers.items()):
        if pid == os.getpid():
            settled &= worker.wait(deadline - time.monotonic())
    return settled


atexit.register(settle, AT_EXIT_S)
