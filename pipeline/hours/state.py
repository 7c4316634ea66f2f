"""The SQLite file of a cell's control state, shared by threads and processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline.disk import FileDamagedError, naming_full_disk, sqlite_error
from pipeline.errors import HeadwaterError, RetryableError
from pipeline.sqlite_wal import use_wal

LOCK_WAIT_S = 60
"""How long a writer waits for another process's transaction."""


class StateUnavailableError(RetryableError):
    """The state file did not answer, or stayed locked for too long."""


class StateFile:
    """Tables in a SQLite file.

    Every method raises StateUnavailableError where another holds the lock for longer than `LOCK_WAIT_S`
    seconds, DiskFullError where there is no room, and FileDamagedError where the file is no database.
    """

    def __init__(self, path: Path, tables: str) -> None:
        """Use the file at `path`, created with its folder and `tables` where absent."""
        self._path = path
        with naming_full_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with self.reading() as connection:
            use_wal(connection, LOCK_WAIT_S)
            connection.executescript(tables)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open a connection, closed at the end."""
        try:
            connection = sqlite3.connect(self._path, timeout=LOCK_WAIT_S, isolation_level=None)
            with closing(connection):
                yield connection
        except sqlite3.Error as error:
            raise _named(error, self._path) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a connection with a transaction, which is kept whole or, if the block raises, not at all."""
        with self.reading() as connection:
            # IMMEDIATE: a transaction that reads first and writes later is refused, not queued.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself where the disk is full.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _named(error: sqlite3.Error, path: Path) -> HeadwaterError:
    return sqlite_error(
        error,
        path,
        FileDamagedError(
            f"it is no state file ({error}).",
            subject=str(path),
            remedy="Restore it from a backup, or move it away, with its -wal and -shm: fences and "
            "closings are then noted anew, from the next look on.",
        ),
        StateUnavailableError(
            f"the state file did not answer ({error}).",
            subject=str(path),
            remedy="See what holds its lock; then try again.",
        ),
    )
