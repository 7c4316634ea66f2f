"""The folder in which a cell's events wait: a file holds some events of one run, and files are in order."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.cells import Cell
from pipeline.files import write_atomically
from pipeline.lineage.files import lineage_folder

TOGETHER = 50
"""Events of one file, which are sent again together where sending ends between them."""
LEFTOVER_AGE = timedelta(hours=1)
"""So old, a file that was begun and not ended is nobody's any more."""


@dataclass(frozen=True)
class Entry:
    """A file of events that wait."""

    path: Path
    bytes: int

    @property
    def since(self) -> datetime:
        """When they were put there."""
        return datetime.fromtimestamp(int(self.path.name.partition("-")[0]) / 1e9, UTC)

    def read(self) -> tuple[str, ...]:
        """Return its events; none if it is gone."""
        try:
            return tuple(self.path.read_text().splitlines())
        except FileNotFoundError:
            return ()

    def remove(self) -> None:
        """Take it away."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Tally:
    """What became of events so far, and when the collector is asked again.

    Counts are at least what they say: a process that is killed may not have counted what it did.

    Attributes:
        sent: events that the collector has taken, those among them that it has taken twice.
        refused: events that it will never take; they are gone from the queue.
        dropped: events that went because too many waited, or for too long.
        failed_at, error: of the last try that did not succeed; None if the last one did.
        retry_at: not before then is it asked again by itself.
    """

    sent: int = 0
    refused: int = 0
    dropped: int = 0
    failed_at: str | None = None
    error: str | None = None
    retry_at: str | None = None

    def may_ask(self, now: datetime) -> bool:
        """Whether the collector may be asked by itself."""
        return self.retry_at is None or datetime.fromisoformat(self.retry_at) <= now


class Queue:
    """Events that wait. Any number of threads and processes may put; who takes away holds `lock`."""

    def __init__(self, folder: Path) -> None:
        """Nothing is created before something is put."""
        self.folder = folder
        self.lock = folder / "lock"
        self._tally = folder / "tally.json"

    @classmethod
    def of(cls, cell: Cell) -> Queue:
        """Return the cell's."""
        return cls(lineage_folder(cell) / "queue")

    def put(self, lines: Sequence[str]) -> None:
        """Add events of one run, behind all that this process has put. Each file is whole or absent.

        Raises:
            OSError, DiskFullError: some of them are not there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(lines), TOGETHER):
            text = "".join(f"{line}\n" for line in lines[start : start + TOGETHER])
            write_atomically(self.folder / _name(), text)

    def entries(self) -> tuple[Entry, ...]:
        """Return what waits, oldest first."""
        found = []
        for path in sorted(self.folder.glob("[0-9]*.jsonl")):
            # Another may take it away.
            with suppress(FileNotFoundError):
                found.append(Entry(path, path.stat().st_size))
        return tuple(found)

    def trim(self, max_bytes: int, oldest: datetime) -> int:
        """Drop, from the oldest on, what is before `oldest` or beyond `max_bytes`; return how many events."""
        waiting = self.entries()
        total, dropped = sum(one.bytes for one in waiting), 0
        for one in waiting:
            if total <= max_bytes and one.since >= oldest:
                break
            dropped += len(one.read())
            one.remove()
            total -= one.bytes
        self._sweep()
        return dropped

    def tally(self) -> Tally:
        """Return what became of events so far; nothing where that cannot be read."""
        try:
            return Tally(**json.loads(self._tally.read_text()))
        except (OSError, ValueError, TypeError):
            return Tally()

    def keep(self, tally: Tally) -> None:
        """Replace what became of events; the caller holds `lock`."""
        write_atomically(self._tally, json.dumps(asdict(tally)))

    def _sweep(self) -> None:
        """Delete what writers that were killed have left."""
        for path in self.folder.glob(".*.tmp"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - LEFTOVER_AGE.total_seconds():
                    path.unlink()


_last = itertools.count()
_ordered = threading.Lock()
_latest = 0


def _name() -> str:
    """Return a name that sorts behind all others of this process, whatever its clock does."""
    global _latest
    with _ordered:
        _latest = max(time.time_ns(), _latest + 1)
        return f"{_latest:020d}-{os.getpid()}-{next(_last)}.jsonl"
