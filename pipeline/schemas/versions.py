"""Versions of subjects in a registry's file: how they are found, added and dropped."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.avro.schema import Schema
from pipeline.schemas.levels import require_level
from pipeline.schemas.registry import canonical, require_valid

_VERSIONS = (
    "SELECT v.subject, v.version, s.id, s.text, s.canonical, d.version IS NOT NULL"
    " FROM versions v JOIN schemas s ON s.id = v.schema_id"
    " LEFT JOIN soft_deleted d ON d.subject = v.subject AND d.version = v.version"
)
_PARSED_MAX = 2048
"""Schemas that a process keeps parsed: to register one reads all that its subject has."""


@dataclass(frozen=True)
class StoredVersion:
    """A version of a subject as it is stored.

    Attributes:
        text: JSON, in the words it was registered in.
        canonical: the text that equal schemas share.
        is_deleted: soft-deleted: found by its id, and where deleted ones are asked for.
    """

    subject: str
    version: int
    id: int
    text: str
    canonical: str
    is_deleted: bool

    @property
    def schema(self) -> Any:
        """The schema, parsed."""
        return json.loads(self.text)

    @property
    def avro(self) -> Schema:
        """The schema as Avro has it; not to be changed, for all equal ones share it."""
        return _avro(self.canonical)


@lru_cache(_PARSED_MAX)
def _avro(text: str) -> Schema:
    return Schema(json.loads(text))


def versions_of(connection: sqlite3.Connection, subject: str) -> list[StoredVersion]:
    """Return every version of a subject, the soft-deleted ones too, oldest first."""
    return stored(connection, "WHERE v.subject = ? ORDER BY v.version", subject)


def stored(connection: sqlite3.Connection, where: str, *values: object) -> list[StoredVersion]:
    """Return the versions that the clauses `where` leave; `v` names versions."""
    rows = connection.execute(f"{_VERSIONS} {where}", values)
    return [
        StoredVersion(subject, version, id_, text, canonical_text, is_deleted=bool(hidden))
        for subject, version, id_, text, canonical_text, hidden in rows
    ]


def live_subjects(connection: sqlite3.Connection) -> list[str]:
    """Return the subjects that have a version which is not soft-deleted, sorted. Reads no schema."""
    rows = connection.execute(
        "SELECT DISTINCT v.subject FROM versions v LEFT JOIN soft_deleted d"
        " ON d.subject = v.subject AND d.version = v.version WHERE d.version IS NULL ORDER BY v.subject"
    )
    return [subject for (subject,) in rows]


def add_version(
    connection: sqlite3.Connection, subject: str, schema: Any, level: str
) -> StoredVersion:
    """Return the subject's version that holds `schema`, added in the open transaction if absent.

    A new version is one above all that the subject has, and what was soft-deleted becomes that one. Those
    that are not deleted are what `level` holds it against.

    Raises:
        InvalidSchemaError: not an Avro schema.
        IncompatibleSchemaError: it breaks the level.
    """
    text = canonical(schema)
    before = versions_of(connection, subject)
    live = [version for version in before if not version.is_deleted]
    for version in live:
        if version.canonical == text:
            return version
    require_valid(subject, schema)
    require_level(level, subject, _avro(text), [(one.version, one.avro) for one in live])
    connection.execute(
        "INSERT INTO schemas (canonical, text) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (text, json.dumps(schema)),
    )
    (schema_id,) = connection.execute(
        "SELECT id FROM schemas WHERE canonical = ?", (text,)
    ).fetchone()
    number = before[-1].version + 1 if before else 1
    for one in before:
        if one.id == schema_id:
            drop_version(connection, one)
    connection.execute("INSERT INTO versions VALUES (?, ?, ?)", (subject, number, schema_id))
    return StoredVersion(subject, number, schema_id, json.dumps(schema), text, is_deleted=False)


def drop_version(connection: sqlite3.Connection, version: StoredVersion) -> None:
    """Delete a version for good, and not its schema."""
    place = (version.subject, version.version)
    connection.execute("DELETE FROM versions WHERE subject = ? AND version = ?", place)
    connection.execute("DELETE FROM soft_deleted WHERE subject = ? AND version = ?", place)
