"""The SQLite file of a registry, and its tables: schemas, versions of subjects, settings of subjects."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

from pipeline.disk import naming_full_disk, sqlite_error
from pipeline.errors import HeadwaterError
from pipeline.schemas.registry import RegistryDamagedError, RegistryUnavailableError
from pipeline.sqlite_wal import use_wal

# AUTOINCREMENT: an id is never given out twice, whatever becomes of its row.
_TABLES = """
CREATE TABLE IF NOT EXISTS schemas (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    canonical TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS versions (
    subject TEXT NOT NULL,
    version INTEGER NOT NULL,
    schema_id INTEGER NOT NULL REFERENCES schemas (id),
    PRIMARY KEY (subject, version),
    UNIQUE (subject, schema_id)
);
CREATE TABLE IF NOT EXISTS soft_deleted (
    subject TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (subject, version)
);
CREATE TABLE IF NOT EXISTS subject_settings (
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (subject, name)
);
"""
_SKIP_IDS = "INSERT INTO sqlite_sequence (name, seq) VALUES ('schemas', ?)"


class Connections(Protocol):
    """What reads and writes a registry's file. Either may raise the errors of the port `Registry`."""

    def connection(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a connection to read by."""

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a connection in a transaction that no other writer is beside."""


class SqliteFile:
    """Implements `Connections`, one for each use: usable from any thread."""

    def __init__(self, path: Path, lock_wait_s: float, first_id: int = 1) -> None:
        """Open `path`, creating it if absent. No id below `first_id` is given from now on.

        Raises:
            RegistryUnavailableError: it cannot be opened, or stays locked for `lock_wait_s`.
            DiskFullError: there is no room for it.
            RegistryDamagedError: the file is no registry.
        """
        self._path = path
        self._lock_wait_s = lock_wait_s
        with naming_full_disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with self.connection() as connection:
            use_wal(connection, lock_wait_s)
            connection.executescript(_TABLES)
            if first_id > 1:
                connection.execute(_SKIP_IDS, (first_id - 1,))

    def connect(self) -> sqlite3.Connection:
        """Return a connection that commits each statement; the caller closes it.

        Raises:
            sqlite3.DatabaseError: see `naming_errors`.
        """
        return sqlite3.connect(self._path, timeout=self._lock_wait_s, isolation_level=None)

    def identity(self) -> tuple[int, int] | None:
        """Return what tells the file from another one at its path; None if there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def naming_errors(self) -> Iterator[None]:
        """Raise the errors of the port `Registry` for those of SQLite."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _named(error, self._path) from error

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that commits each statement."""
        # Closing ends an open transaction without committing it.
        with self.naming_errors(), closing(self.connect()) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction that is committed unless something raises."""
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.commit()


def _named(error: sqlite3.Error, database: Path) -> HeadwaterError:
    return sqlite_error(
        error,
        database,
        RegistryDamagedError(
            f"the file is no schema registry ({error}).",
            subject=str(database),
            remedy="Restore it from a backup: records refer to schemas by the ids that it gave.",
        ),
        RegistryUnavailableError(
            f"the schema registry did not answer: {error}.",
            subject=str(database),
            remedy="Check that the file is readable and no process holds its lock.",
        ),
    )
