"""Subjects with what is deleted of them and what is set for them: the registry as its HTTP API sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pipeline.schemas.levels import DEFAULT_LEVEL
from pipeline.schemas.sqlite_file import Connections
from pipeline.schemas.versions import StoredVersion, add_version, drop_version, stored, versions_of

GLOBAL = ""
"""The subject whose settings are those of all that have none."""
DEFAULTS = {"compatibility": DEFAULT_LEVEL, "mode": "READWRITE"}


class Subjects:
    """Any method raises what any method of `Registry` may."""

    def __init__(self, file: Connections) -> None:
        self._file = file

    def all(self) -> list[StoredVersion]:
        """Return every version of every subject, the soft-deleted ones too."""
        with self._file.connection() as connection:
            return stored(connection, "ORDER BY v.subject, v.version")

    def versions(self, subject: str) -> list[StoredVersion]:
        """Return every version of a subject, the soft-deleted ones too, oldest first."""
        with self._file.connection() as connection:
            return versions_of(connection, subject)

    def by_id(self, schema_id: int) -> Any | None:
        """Return the schema of an id, parsed; None if there is none."""
        with self._file.connection() as connection:
            row = connection.execute(
                "SELECT text FROM schemas WHERE id = ?", (schema_id,)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def with_id(self, schema_id: int) -> list[StoredVersion]:
        """Return the versions that hold the schema of an id, the soft-deleted ones too."""
        with self._file.connection() as connection:
            return stored(connection, "WHERE s.id = ? ORDER BY v.subject", schema_id)

    def register(self, subject: str, schema: Any) -> StoredVersion:
        """Return the subject's version that holds `schema`, added if absent; atomic.

        Raises:
            InvalidSchemaError: not an Avro schema.
            IncompatibleSchemaError: it breaks the subject's level of compatibility.
        """
        level = self.setting("compatibility", subject)
        with self._file.writing() as connection:
            return add_version(connection, subject, schema, level)

    def soft_delete(self, versions: Iterable[StoredVersion]) -> None:
        """Hide versions from all but those who look by id or ask for deleted ones."""
        with self._file.writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO soft_deleted VALUES (?, ?)",
                [(one.subject, one.version) for one in versions],
            )

    def delete_for_good(self, versions: Iterable[StoredVersion]) -> None:
        """Delete versions, and the schemas that no version of any subject holds any more."""
        with self._file.writing() as connection:
            for one in versions:
                drop_version(connection, one)
                connection.execute(
                    "DELETE FROM schemas WHERE id = ?"
                    " AND NOT EXISTS (SELECT 1 FROM versions WHERE schema_id = schemas.id)",
                    (one.id,),
                )

    def own_setting(self, name: str, subject: str) -> str | None:
        """Return what is set for this very subject; None if nothing is."""
        with self._file.connection() as connection:
            row = connection.execute(
                "SELECT value FROM subject_settings WHERE subject = ? AND name = ?",
                (subject, name),
            ).fetchone()
        return None if row is None else str(row[0])

    def setting(self, name: str, subject: str = GLOBAL) -> str:
        """Return what holds for a subject: its own setting, the global one, or the default."""
        return self.own_setting(name, subject) or self.own_setting(name, GLOBAL) or DEFAULTS[name]

    def set(self, name: str, subject: str, value: str | None) -> None:
        """Set it for a subject, or with None let go of what is set."""
        with self._file.writing() as connection:
            connection.execute(
                "DELETE FROM subject_settings WHERE subject = ? AND name = ?", (subject, name)
            )
            if value is not None:
                connection.execute(
                    "INSERT INTO subject_settings VALUES (?, ?, ?)", (subject, name, value)
                )
