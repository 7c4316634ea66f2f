"""The SQLite file of a cell's control state, shared by threads and processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

LOCK_WAIT_S = 60
"""How long a writer waits for another process's transaction."""


class StateFile:
    """Tables in a SQLite file. A lock held by another for longer than `LOCK_WAIT_S` seconds raises
    `sqlite3.OperationalError`.
    """

    def __init__(self, path: Path, tables: str) -> None:
        """Use the file at `path`, created with its folder and `tables` where absent."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.reading() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(tables)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open a connection, closed at the end."""
        connection = sqlite3.connect(self._path, timeout=LOCK_WAIT_S, isolation_level=None)
        with closing(connection):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a connection with a transaction, which is kept whole or, if the block raises, not at all."""
        with self.reading() as connection:
            # IMMEDIATE: a transaction that reads first and writes later is refused, not queued.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
