"""Locks that live exactly as long as the process that holds them.

A lock is a file locked with flock(2): the kernel frees it when its holder ends, by SIGKILL too, so a
free lock proves that nobody works. Valid between processes of one machine, on a local disk.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.cells import Cell
from pipeline.errors import RetryableError

_PAUSE_S = 0.1


class LockHeldError(RetryableError):
    """Another process, or another part of this one, holds the lock."""


def ingest_lock(cell: Cell, product: str) -> Path:
    """Return the lock of whoever ingests the product."""
    return cell.locks / f"{product}.ingest.lock"


def batch_lock(cell: Cell, product: str) -> Path:
    """Return the lock of whoever builds the product's hours."""
    return cell.locks / f"{product}.batch.lock"


def maintenance_lock(cell: Cell, product: str) -> Path:
    """Return the lock of the run that maintains the product's tables; who does so by hand needs none."""
    return cell.locks / f"{product}.maintenance.lock"


def quarantine_lock(cell: Cell, product: str) -> Path:
    """Return the lock of whoever sets offsets of the product aside."""
    return cell.locks / f"{product}.quarantine.lock"


@contextmanager
def hold_lock(path: Path, owner: str, *, wait_s: float = 3.0) -> Iterator[None]:
    """Hold the lock at `path` for the length of the block, under the name `owner`.

    Not reentrant. The file stays when the lock is freed; its text is then of no meaning.

    Raises:
        LockHeldError: it was still held elsewhere after `wait_s` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        deadline = time.monotonic() + wait_s
        while not _locked(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                raise LockHeldError(
                    f"held by {_text(path) or 'another process'}.",
                    subject=f"lock {path.name}",
                    remedy="Wait for it to end, or stop it.",
                )
            time.sleep(_PAUSE_S)
        os.ftruncate(file.fileno(), 0)
        file.write(owner)
        file.flush()
        yield


def lock_holder(path: Path) -> str | None:
    """Return the name of the lock's owner, or None when nobody holds it. Never waits.

    For an instant after a change of owners it may be the last owner's name.
    """
    try:
        with path.open() as file:
            # A shared lock: two lookers at once must not take each other for the holder.
            return None if _locked(file.fileno(), fcntl.LOCK_SH) else _text(path)
    except FileNotFoundError:
        return None


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _text(path: Path) -> str:
    return path.read_text().strip()
