"""Producing no faster than asked, and telling how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

PROGRESS_S = 0.5


@dataclass(frozen=True)
class Progress:
    """Records accepted so far, of how many (None: no end), and since when."""

    records: int
    wanted: int | None
    seconds: float

    @property
    def rate(self) -> float:
        """Records a second so far."""
        return self.records / max(self.seconds, 1e-9)


class Pace:
    """Counts records; waits where they come faster than `rate` a second; reports at times."""

    def __init__(
        self,
        rate: float | None,
        wanted: int | None,
        stop: threading.Event,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._rate = rate
        self._wanted = wanted
        self._stop = stop
        self._tell = on_progress
        self._began = time.monotonic()
        self._told = self._began
        self.records = 0

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def step(self) -> bool:
        """Count one record, wait until the next may go; False once asked to stop."""
        self.records += 1
        if self._rate is not None:
            ahead = self.records / self._rate - self.seconds
            # Short waits cost more than they are long.
            if ahead > 0.005:
                self._stop.wait(ahead)
        elif self.records % 200:
            return True
        now = time.monotonic()
        if self._tell is not None and now - self._told >= PROGRESS_S:
            self._told = now
            self._tell(Progress(self.records, self._wanted, self.seconds))
        return not self._stop.is_set()
