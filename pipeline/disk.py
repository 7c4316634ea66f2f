"""What a disk does to files, named: it is full, or a file is gone, or is not what was written."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pipeline.errors import HeadwaterError, RetryableError, TerminalError

Other = TypeVar("Other", bound=HeadwaterError | None)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SQLITE_FULL = "database or disk is full"
_NOTHING_FREE = 64 * 1024
"""With fewer bytes free, what SQLite calls an I/O error is a disk that is full: so it tells of the files
beside the database that could not grow.
"""


class DiskFullError(RetryableError):
    """A file could not be written, because its disk is full or its size is limited."""


class FileMissingError(TerminalError):
    """A file that the data need is not there."""


class FileDamagedError(TerminalError):
    """A file's bytes are not what was written to it."""


def is_full(error: BaseException) -> bool:
    """Return whether `error` is the operating system's word that nothing more can be written."""
    return isinstance(error, OSError) and error.errno in _FULL


def full_words(text: str) -> str | None:
    """Return the words by which the operating system or SQLite says, in `text`, that a disk is full."""
    return next(
        (words for words in (*map(os.strerror, _FULL), _SQLITE_FULL) if words in text), None
    )


def disk_full(error: BaseException, place: str | Path, subject: str | None = None) -> DiskFullError:
    """Return the named error for `error`, which struck while a file was written at `place`, a path or URI."""
    cause = (os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)) or "full"
    return DiskFullError(
        f"its disk is full{of_mount(place)}, and what was to be written was not ({cause}).",
        subject=subject or str(place),
        remedy="Make room there, then run the same again: nothing was written in part.",
    )


@contextmanager
def naming_full_disk(place: str | Path, subject: str | None = None) -> Iterator[None]:
    """Turn an error of a disk that is full into a named one; pass on all others.

    Raises:
        DiskFullError: the block could not write below `place`.
    """
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise disk_full(error, place, subject) from error


def sqlite_error(
    error: BaseException,
    database: Path,
    damaged: TerminalError,
    other: Other,
    subject: str | None = None,
) -> HeadwaterError | Other:
    """Return the named error for `error`, raised while `database` was used.

    It is a `DiskFullError` about `subject` or the file; `damaged` where the file is no database; else
    `other`.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged
    is_unsure = code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    if code == sqlite3.SQLITE_FULL or (is_unsure and _room(database) < _NOTHING_FREE):
        return disk_full(error, database, subject)
    return other


def _room(database: Path) -> int:
    """Return how many bytes more `database` and the files beside it may take."""
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == resource.RLIM_INFINITY:
        return _free(database)
    files = (database, *(database.with_name(f"{database.name}-{end}") for end in ("wal", "shm")))
    largest = max((file.stat().st_size for file in files if file.exists()), default=0)
    return min(_free(database), limit - largest)


def of_mount(place: str | Path) -> str:
    """Return where the disk of `place` is mounted and what is free there; nothing of another machine's."""
    path = _local(place)
    if path is None:
        return ""
    mount = path
    while not mount.is_mount():
        mount = mount.parent
    return f" (mounted at {mount}, {_free(path):,} bytes free)"


def _free(place: Path) -> int:
    path = _local(place)
    return shutil.disk_usage(path).free if path is not None else _NOTHING_FREE


def _local(place: str | Path) -> Path | None:
    """Return the nearest folder or file of `place` that is there; None if it is on another machine."""
    text = str(place).removeprefix("file://")
    if "://" in text:
        return None
    path = Path(text).absolute()
    while not path.exists():
        path = path.parent
    return path
