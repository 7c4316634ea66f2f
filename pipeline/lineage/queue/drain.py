"""Sending what waits to the cell's collector, in its order."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import timedelta

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.errors import HeadwaterError
from pipeline.lineage.collector import Collector, collector_of
from pipeline.lineage.queue.store import Queue, Tally
from pipeline.lineage.transports.open import Sender, opened
from pipeline.supervision.file_lock import LockHeldError, hold_file

_LOG = logging.getLogger(__name__)
RETRY_AFTER = timedelta(minutes=1)
"""How long a collector that did not take events is not asked again by itself."""


@dataclass(frozen=True)
class Drained:
    """What one drain did.

    Attributes:
        sent: events that the collector has taken.
        refused: events that it will never take; they are gone.
        dropped: events that had waited for too long, or were too many.
        error: why it ended before all was sent; None if it did not.
        busy: another is at it.
    """

    sent: int = 0
    refused: int = 0
    dropped: int = 0
    error: HeadwaterError | None = None
    busy: bool = False


def drain(
    cell: Cell, *, at_once: bool = True, within_s: float | None = None, clock: Clock = utc_now
) -> Drained:
    """Send what waits until all is sent, the collector takes no more, or `within_s` seconds are over.

    Without `at_once` a collector that did not take events a moment ago is not asked. Events are taken away
    once the collector has them, so that after a crash, and where the collector ends between events that go
    together, it gets some twice. Events of a run arrive in their order. What waits for longer than the
    settings allow, or is more, is dropped, the oldest first, and counted. One process does this at a time;
    others return `busy`.

    Raises:
        OSError, DiskFullError: the queue cannot be read or written.
    """
    queue, collector = Queue.of(cell), collector_of(cell)
    if collector is None or not queue.folder.exists():
        return Drained()
    try:
        with hold_file(queue.lock, "headwater", time.monotonic()):
            dropped = queue.trim(collector.max_bytes, clock() - collector.max_age)
            if dropped:
                _LOG.warning("%d lineage events that waited too long were dropped", dropped)
            before = queue.tally()
            now = replace(before, dropped=before.dropped + dropped)
            done = Drained(dropped=dropped)
            if queue.entries() and (at_once or before.may_ask(clock())):
                deadline = None if within_s is None else time.monotonic() + within_s
                done, now = _Drain(queue, collector, clock, done, now).run(deadline)
            if now != before:
                queue.keep(now)
            return done
    except LockHeldError:
        return Drained(busy=True)


class _Drain:
    def __init__(
        self, queue: Queue, collector: Collector, clock: Clock, done: Drained, tally: Tally
    ) -> None:
        self._queue = queue
        self._collector = collector
        self._clock = clock
        self._done = done
        self._tally = tally

    def run(self, deadline: float | None) -> tuple[Drained, Tally]:
        try:
            with opened(self._collector) as sender:
                # Once more, for what came meanwhile.
                while self._send_all(sender, deadline):
                    pass
        except HeadwaterError as error:
            now = self._clock()
            self._done = replace(self._done, error=error)
            failed = replace(
                self._tally,
                failed_at=now.isoformat(),
                error=str(error),
                retry_at=(now + RETRY_AFTER).isoformat(),
            )
            if self._tally.error is None:
                _LOG.warning("lineage events wait on disk: %s", error)
            return self._done, failed
        return self._done, replace(self._tally, failed_at=None, error=None, retry_at=None)

    def _send_all(self, sender: Sender, deadline: float | None) -> bool:
        """Send what waits now; return whether there was anything, and time is left."""
        waiting = self._queue.entries()
        for entry in waiting:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            lines = entry.read()
            refused = sender.send(lines)
            entry.remove()
            taken = len(lines) - refused
            self._done = replace(
                self._done, sent=self._done.sent + taken, refused=self._done.refused + refused
            )
            self._tally = replace(
                self._tally, sent=self._tally.sent + taken, refused=self._tally.refused + refused
            )
        return bool(waiting)
