"""State in a SQLite file, shared by threads and processes of one machine: the embedded default."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.disk import FileDamagedError, naming_full_disk, sqlite_error
from pipeline.errors import HeadwaterError
from pipeline.sqlite_wal import use_wal
from pipeline.state.port import Row, StateConnection, StateUnavailableError, Value

LOCK_WAIT_S = 60
"""How long a writer waits for another process's transaction."""
_WORDS = {
    "at": "",
    "text": "TEXT",
    "integer": "INTEGER",
    "strict": "STRICT",
    "now": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}


@dataclass(frozen=True)
class _Connection:
    inner: sqlite3.Connection

    def execute(self, statement: str, values: Sequence[Value] = ()) -> list[Row]:
        return self.inner.execute(statement.format_map(_WORDS), values).fetchall()

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        self.inner.executemany(statement.format_map(_WORDS), rows)


class SqliteState:
    """Implements the port `State`. A writer waits for others for at most `LOCK_WAIT_S` seconds."""

    def __init__(self, path: Path) -> None:
        """Use the file at `path`, created with its folder where absent."""
        self._path = path
        with naming_full_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            use_wal(connection, LOCK_WAIT_S)

    def have(self, tables: str) -> None:
        """See `State.have`."""
        with self._open() as connection:
            connection.executescript(tables.format_map(_WORDS))

    @contextmanager
    def reading(self) -> Iterator[StateConnection]:
        """See `State.reading`."""
        with self._open() as connection:
            yield _Connection(connection)

    @contextmanager
    def writing(self) -> Iterator[StateConnection]:
        """See `State.writing`."""
        with self._open() as connection:
            # IMMEDIATE: a transaction that reads first and writes later is refused, not queued.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Connection(connection)
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself where the disk is full.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self._path, timeout=LOCK_WAIT_S, isolation_level=None)
            with closing(connection):
                yield connection
        except sqlite3.Error as error:
            raise _named(error, self._path) from error


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
