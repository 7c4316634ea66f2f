"""The heartbeat of an ingest or a build: a small file beside its lock, written anew as it goes on.

The lock proves that a process lives, the heartbeat that it gets on. It is a hint for people and
supervisors: no decision about data depends on it.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.supervision.locks import Lock, ingest_lock, is_held_here

STALLED_AFTER = timedelta(minutes=5)
"""No heartbeat for as long means that the ingest is stuck: every wait of it, and a batch, is shorter."""
_EVERY_S = 1.0


@dataclass(frozen=True)
class Heartbeat:
    """What an ingest or a build of hours last said of itself.

    Attributes:
        at: when.
        commits: how many of its run; of a build, hours that are done.
        committed_at: when the last of them was made.
        waits: the error that it is waiting out, None where there is none.
        doing: of a build: the stage, the table and the hour that it is at.
    """

    run_id: str
    pid: int
    at: datetime
    commits: int = 0
    committed_at: datetime | None = None
    waits: str | None = None
    doing: str | None = None


def heartbeat_file(cell: Cell, product: str) -> Path:
    """Return where the product's ingest writes its heartbeat."""
    return cell.locks / f"{product}.ingest.heartbeat"


def batch_heartbeat_file(cell: Cell, product: str) -> Path:
    """Return where whoever builds the product's hours writes a heartbeat."""
    return cell.locks / f"{product}.batch.heartbeat"


class Pulse:
    """Writes the heartbeat of one run, at most once a second but where something new is told.

    Of several runs at once the last writer's is seen. That it cannot be written (a full disk) is no
    failure of the run.
    """

    def __init__(self, path: Path, run_id: str, clock: Clock) -> None:
        self._path = path
        self._run_id = run_id
        self._clock = clock
        self._told: Heartbeat | None = None
        self._written = 0.0

    def beat(
        self,
        commits: int,
        committed_at: datetime | None = None,
        *,
        waits: str | None = None,
        doing: str | None = None,
    ) -> None:
        """Say that the run goes on, with what it has done so far."""
        last, now = self._told, time.monotonic()
        if committed_at is None and last is not None:
            committed_at = last.committed_at
        told = Heartbeat(
            self._run_id, os.getpid(), self._clock(), commits, committed_at, waits, doing
        )
        self._told = told
        is_old_news = last is not None and (last.waits, last.doing) == (waits, doing)
        if is_old_news and now - self._written < _EVERY_S:
            return
        self._written = now
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        # Not synced, unlike other files: what it says is of no use after a crash of the machine.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(asdict(told), default=datetime.isoformat))
            temporary.replace(self._path)


def read_heartbeat(path: Path) -> Heartbeat | None:
    """Return the last heartbeat; None where there is none that can be read."""
    try:
        document = json.loads(path.read_text())
        committed_at = document["committed_at"]
        return Heartbeat(
            **document
            | {
                "at": datetime.fromisoformat(document["at"]),
                "committed_at": committed_at and datetime.fromisoformat(committed_at),
            }
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def stalled_for(lock: Lock, heartbeat: Heartbeat | None, now: datetime) -> timedelta | None:
    """Return for how long the lock's holder has not gone on, None if that is not too long yet.

    It counts from its last heartbeat, or from when the lock was taken, whichever is later. Whether the
    lock is held is not asked here.
    """
    try:
        taken_at = lock.path.stat().st_mtime
    except FileNotFoundError:
        return None
    last = max(taken_at, heartbeat.at.timestamp() if heartbeat else 0.0)
    still = timedelta(seconds=now.timestamp() - last)
    return still if still >= STALLED_AFTER else None


def describe_stall(cell: Cell, product: str, now: datetime) -> str | None:
    """Return for how long the holder of the product's ingest lock has not gone on; None if it has.

    Of a holder on another machine nothing is known here.
    """
    lock = ingest_lock(cell, product)
    heartbeat = read_heartbeat(heartbeat_file(cell, product))
    still = stalled_for(lock, heartbeat, now) if is_held_here(lock) else None
    if still is None:
        return None
    return (
        f"its process lives, and has not gone on for {still.total_seconds():.0f} s. "
        "Look at its log; terminate the run if it is stuck, and the next one begins where it is."
    )
