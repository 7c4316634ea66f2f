"""A process and all that it started: processor time and memory."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import psutil

SAMPLE_S = 0.1
SETTLED_S = 0.5
"""A younger process may still share its parent's memory: a JVM starts others that way."""


class Family:
    """Watches a process and its descendants in a thread of its own until `close`."""

    def __init__(self, pid: int) -> None:
        self._head = psutil.Process(pid)
        self._stop = threading.Event()
        self.peak_mb = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def cpu_s(self) -> float:
        """Return the seconds that all of them have used so far, those that ended included."""
        total = 0.0
        for one in self._members():
            try:
                times = one.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total

    def close(self) -> None:
        """Watch no longer."""
        self._stop.set()
        self._thread.join()

    def kill(self) -> None:
        """End all that still run, and wait until they have: a JVM outlives the process that started it."""
        members = self._members()
        for one in members:
            with suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(members, timeout=10)

    def _members(self) -> list[psutil.Process]:
        try:
            return [self._head, *self._head.children(recursive=True)]
        except psutil.Error:
            return []

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            size = 0
            born_by = time.time() - SETTLED_S
            for one in self._members():
                try:
                    if one.create_time() < born_by:
                        size += one.memory_info().rss
                except psutil.Error:
                    continue
            self.peak_mb = max(self.peak_mb, size / 2**20)
