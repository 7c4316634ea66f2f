"""A file locked with flock(2), which the kernel frees when its holder ends, by SIGKILL too."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pipeline.errors import RetryableError

PAUSE_S = 0.1
"""Between two attempts."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class LockHeldError(RetryableError):
    """Another process, or another part of this one, holds the lock."""


def lock_held(name: str, owner: str) -> LockHeldError:
    """Return the error of whoever wants the lock `name` that `owner` has."""
    return LockHeldError(
        f"held by {owner}.", subject=f"lock {name}", remedy="Wait for it to end, or stop it."
    )


@contextmanager
def hold_file(path: Path, owner: str, deadline: float) -> Iterator[None]:
    """Hold the lock of the file at `path` for the length of the block; its text is `owner`.

    Raises:
        LockHeldError: it was still held elsewhere at `deadline`, by the monotonic clock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        while not _locked(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                raise lock_held(path.name, _text(path) or "another process")
            time.sleep(PAUSE_S)
        os.ftruncate(file.fileno(), 0)
        file.write(owner)
        file.flush()
        yield


def file_holder(path: Path) -> str | None:
    """Return the text of a file that somebody on this machine has locked, else None. Never waits."""
    try:
        with path.open() as file:
            # A shared lock: two lookers at once must not take each other for the holder.
            return None if _locked(file.fileno(), fcntl.LOCK_SH) else _text(path)
    except FileNotFoundError:
        return None


def place_of(path: Path) -> str | None:
    """Return what tells the file at `path` from all others of all machines; None if there is none.

    Where the system tells no boot of it from another, no two answers are the same.
    """
    try:
        found = path.stat()
        boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else str(uuid4())
    except FileNotFoundError:
        return None
    return f"{boot_id}/{found.st_dev}/{found.st_ino}"


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _text(path: Path) -> str:
    return path.read_text().strip()
