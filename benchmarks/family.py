"""A process and all that it started: processor time and memory."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import psutil

SAMPLE_S = 0.1
SETTLED_S = 0.5
"""A younger process may still be its parent's copy: a JVM starts others that way."""


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
            born_by = time.time() - SETTLED_S
            members = self._members()
            # What is shared counts once; to ask for that costs milliseconds, and only a peak is worth them.
            if _megabytes("rss", members, born_by) > self.peak_mb:
                self.peak_mb = max(self.peak_mb, _megabytes("pss", members, born_by))


def _megabytes(kind: str, members: list[psutil.Process], born_by: float) -> float:
    """Return the memory of `members` that are not too young, `rss`, or `pss`: shared memory by its share."""
    size = 0
    for one in members:
        with suppress(psutil.Error):
            if one.create_time() < born_by:
                found = one.memory_full_info() if kind == "pss" else one.memory_info()
                size += getattr(found, kind)
    return size / 2**20
