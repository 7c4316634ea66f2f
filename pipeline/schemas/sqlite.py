"""The embedded registry: one SQLite file on a local disk, shared by any number of processes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.avro.compatibility import require_backward_transitive
from pipeline.avro.validity import NotAvroError, require_avro
from pipeline.disk import naming_full_disk, sqlite_error
from pipeline.errors import HeadwaterError
from pipeline.schemas.registry import (
    InvalidSchemaError,
    RegistryDamagedError,
    RegistryUnavailableError,
    SchemaNotFoundError,
    SchemaRef,
    canonical,
)
from pipeline.sqlite_wal import use_wal

LOCK_WAIT_S = 60
"""How long a call waits for another process's registration."""

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
"""
_SKIP_IDS = "INSERT INTO sqlite_sequence (name, seq) VALUES ('schemas', ?)"
_VERSIONS = (
    "SELECT subject, version, id, text FROM versions JOIN schemas ON id = schema_id"
    " WHERE subject = ?"
)


class SqliteRegistry:
    """Implements the port `Registry`. Usable from any thread; holds no connection between calls."""

    def __init__(
        self, database: Path, *, lock_wait_s: float = LOCK_WAIT_S, first_id: int = 1
    ) -> None:
        """Open `database`, creating it if absent. No id below `first_id` is given from now on.

        Raises:
            RegistryUnavailableError: it cannot be opened, or stays locked for `lock_wait_s`.
            DiskFullError: there is no room for it.
            RegistryDamagedError: the file is no registry.
        """
        self._database = database
        self._lock_wait_s = lock_wait_s
        with naming_full_disk(database):
            database.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            use_wal(connection, lock_wait_s)
            connection.executescript(_TABLES)
            if first_id > 1:
                connection.execute(_SKIP_IDS, (first_id - 1,))

    def register(self, subject: str, schema: Mapping[str, Any]) -> SchemaRef:
        """See `Registry.register`."""
        try:
            require_avro(schema)
        except NotAvroError as error:
            raise InvalidSchemaError(
                f"not an Avro schema: {error}.", subject=subject, remedy="Correct the schema."
            ) from None
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            versions = _refs(connection.execute(f"{_VERSIONS} ORDER BY version", (subject,)))
            text = canonical(schema)
            for ref in versions:
                if canonical(ref.schema) == text:
                    return ref
            require_backward_transitive(
                subject, schema, [(ref.version, ref.schema) for ref in versions]
            )
            connection.execute(
                "INSERT INTO schemas (canonical, text) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (text, json.dumps(schema)),
            )
            (schema_id,) = connection.execute(
                "SELECT id FROM schemas WHERE canonical = ?", (text,)
            ).fetchone()
            version = len(versions) + 1
            connection.execute(
                "INSERT INTO versions VALUES (?, ?, ?)", (subject, version, schema_id)
            )
            connection.commit()
        return SchemaRef(subject, version, schema_id, dict(schema))

    def schema(self, schema_id: int) -> dict[str, Any]:
        """See `Registry.schema`."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT text FROM schemas WHERE id = ?", (schema_id,)
            ).fetchone()
        if row is None:
            raise _not_found(f"schema id {schema_id}")
        schema: dict[str, Any] = json.loads(row[0])
        return schema

    def version(self, subject: str, version: int) -> SchemaRef:
        """See `Registry.version`."""
        with self._connection() as connection:
            found = _refs(connection.execute(f"{_VERSIONS} AND version = ?", (subject, version)))
        if not found:
            raise _not_found(f"version {version} of {subject}")
        return found[0]

    def latest(self, subject: str) -> SchemaRef:
        """See `Registry.latest`."""
        with self._connection() as connection:
            found = _refs(
                connection.execute(f"{_VERSIONS} ORDER BY version DESC LIMIT 1", (subject,))
            )
        if not found:
            raise _not_found(f"subject {subject}")
        return found[0]

    def subjects(self) -> Sequence[str]:
        """See `Registry.subjects`."""
        with self._connection() as connection:
            rows = connection.execute("SELECT DISTINCT subject FROM versions ORDER BY subject")
            return [subject for (subject,) in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = None
        try:
            connection = sqlite3.connect(
                self._database, timeout=self._lock_wait_s, isolation_level=None
            )
            yield connection
        except sqlite3.DatabaseError as error:
            raise _named(error, self._database) from error
        finally:
            # Ends an open transaction without committing it.
            if connection is not None:
                connection.close()


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


def _refs(rows: sqlite3.Cursor) -> list[SchemaRef]:
    return [SchemaRef(s, version, id_, json.loads(text)) for s, version, id_, text in rows]


def _not_found(what: str) -> SchemaNotFoundError:
    return SchemaNotFoundError(
        f"{what} is not registered.",
        subject="schema registry",
        remedy="Register it, then replay the dead letters.",
    )
