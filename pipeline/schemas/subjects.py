"""Subjects with what is deleted of them and what is set for them: the registry as its HTTP API sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.avro.schema import Schema
from pipeline.schemas.levels import DEFAULT_LEVEL, Parsed
from pipeline.schemas.protobuf import serialized
from pipeline.schemas.sqlite_file import Connections
from pipeline.schemas.texts import SchemaText
from pipeline.schemas.versions import (
    REFERRING,
    StoredVersion,
    add_version,
    canonical_of,
    drop_version,
    parsed,
    protobuf_of,
    refers,
    stored,
    text_of_id,
    versions_of,
)

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

    def by_id(self, schema_id: int) -> SchemaText | None:
        """Return the schema of an id; None if there is none."""
        with self._file.connection() as connection:
            return text_of_id(connection, schema_id)

    def canonical(self, subject: str, schema: Any) -> str:
        """Return the text that schemas equal to one share.

        Raises:
            InvalidSchemaError: it is no schema.
        """
        with self._file.connection() as connection:
            return canonical_of(connection, subject, schema)

    def parsed(self, subject: str, schema: Any) -> Parsed:
        """Return a schema parsed, be it Avro's or a `SchemaText` of Protobuf.

        Raises:
            NotAvroError, InvalidSchemaError: it is no schema.
        """
        if not isinstance(schema, SchemaText):
            return Schema(schema)
        with self._file.connection() as connection:
            return protobuf_of(connection, subject, schema)

    def serialized(self, schema: SchemaText) -> str:
        """Return a Protobuf schema as a serialized descriptor in Base64."""
        with self._file.connection() as connection:
            return serialized(protobuf_of(connection, "", schema))

    def parsed_version(self, one: StoredVersion) -> Parsed:
        """Return a version parsed."""
        with self._file.connection() as connection:
            return parsed(connection, one)

    def referring(self, one: StoredVersion) -> list[int]:
        """Return the ids of schemas that refer to a version."""
        with self._file.connection() as connection:
            return sorted({each.id for each in stored(connection, REFERRING) if refers(each, one)})

    def with_id(self, schema_id: int) -> list[StoredVersion]:
        """Return the versions that hold the schema of an id, the soft-deleted ones too."""
        with self._file.connection() as connection:
            return stored(connection, "WHERE s.id = ? ORDER BY v.subject", schema_id)

    def register(self, subject: str, schema: Any) -> StoredVersion:
        """Return the subject's version that holds `schema`, added if absent; atomic.

        Raises:
            InvalidSchemaError: it is no schema.
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
