"""Versions of subjects in a registry's file: how they are found, added and dropped."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.avro.schema import Schema
from pipeline.protobuf.schema import ProtoSchema
from pipeline.schemas.levels import Parsed, require_level
from pipeline.schemas.protobuf import compiled, descriptor_bytes
from pipeline.schemas.registry import canonical, not_found, require_valid
from pipeline.schemas.texts import (
    Reference,
    SchemaText,
    canonical_protobuf,
    from_stored,
    is_protobuf,
    stored_text,
)

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
        text: JSON: of Avro the words it was registered in, of Protobuf those with what else belongs to them.
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
    def is_avro(self) -> bool:
        """Whether it is Avro, which is kept as parsed JSON."""
        return not is_protobuf(self.canonical)

    @property
    def schema(self) -> Any:
        """The Avro schema, parsed."""
        return json.loads(self.text)

    @property
    def schema_text(self) -> SchemaText:
        """The schema of any type."""
        return from_stored(self.canonical, self.text)


@lru_cache(_PARSED_MAX)
def _avro(text: str) -> Schema:
    return Schema(json.loads(text))


def parsed(connection: sqlite3.Connection, one: StoredVersion) -> Parsed:
    """Return a version parsed; not to be changed, for all equal ones share it.

    Raises:
        InvalidSchemaError, ProtocMissingError: as `compiled`.
    """
    if one.is_avro:
        return _avro(one.canonical)
    return protobuf_of(connection, one.subject, one.schema_text)


def protobuf_of(connection: sqlite3.Connection, subject: str, schema: SchemaText) -> ProtoSchema:
    """Return a Protobuf schema compiled, with what it refers to in this registry; see `compiled`."""
    return compiled(subject, schema, lambda reference: referred(connection, reference))


def referred(connection: sqlite3.Connection, reference: Reference) -> SchemaText:
    """Return what a reference is of, be it soft-deleted.

    Raises:
        SchemaNotFoundError: there is none.
    """
    where = "WHERE v.subject = ? AND v.version = ?"
    found = stored(connection, where, reference.subject, reference.version)
    if not found:
        raise not_found(f"version {reference.version} of {reference.subject}")
    return found[0].schema_text


def canonical_of(connection: sqlite3.Connection, subject: str, schema: Any) -> str:
    """Return the text that schemas equal to one share: an Avro schema, parsed, or a `SchemaText`.

    Raises:
        InvalidSchemaError, ProtocMissingError: as `compiled`.
    """
    if not isinstance(schema, SchemaText):
        return canonical(schema)
    made = protobuf_of(connection, subject, schema)
    return canonical_protobuf(descriptor_bytes(made), schema.references)


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


REFERRING = "WHERE s.canonical LIKE 'PROTOBUF %' AND s.text LIKE '%references%'"
"""Versions that may refer to others."""


def refers(one: StoredVersion, to: StoredVersion) -> bool:
    """Return whether a version's schema refers to another version."""
    wanted = to.subject, to.version
    return any((each.subject, each.version) == wanted for each in one.schema_text.references)


def text_of_id(connection: sqlite3.Connection, schema_id: int) -> SchemaText | None:
    """Return the schema of an id; None if there is none."""
    query = "SELECT canonical, text FROM schemas WHERE id = ?"
    row = connection.execute(query, (schema_id,)).fetchone()
    return None if row is None else from_stored(*row)


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

    `schema` is Avro's, parsed, or a `SchemaText` of Protobuf.

    A new version is one above all that the subject has, and what was soft-deleted becomes that one. Those
    that are not deleted are what `level` holds it against.

    Raises:
        InvalidSchemaError: it is no schema.
        IncompatibleSchemaError: it breaks the level.
    """
    text = canonical_of(connection, subject, schema)
    before = versions_of(connection, subject)
    live = [version for version in before if not version.is_deleted]
    for version in live:
        if version.canonical == text:
            return version
    new: Parsed
    if isinstance(schema, SchemaText):
        kept, new = stored_text(schema), protobuf_of(connection, subject, schema)
    else:
        require_valid(subject, schema)
        kept, new = json.dumps(schema), _avro(text)
    require_level(level, subject, new, [(one.version, parsed(connection, one)) for one in live])
    connection.execute(
        "INSERT INTO schemas (canonical, text) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (text, kept),
    )
    (schema_id,) = connection.execute(
        "SELECT id FROM schemas WHERE canonical = ?", (text,)
    ).fetchone()
    number = before[-1].version + 1 if before else 1
    for one in before:
        if one.id == schema_id:
            drop_version(connection, one)
    connection.execute("INSERT INTO versions VALUES (?, ?, ?)", (subject, number, schema_id))
    return StoredVersion(subject, number, schema_id, kept, text, is_deleted=False)


def drop_version(connection: sqlite3.Connection, version: StoredVersion) -> None:
    """Delete a version for good, and not its schema."""
    place = (version.subject, version.version)
    connection.execute("DELETE FROM versions WHERE subject = ? AND version = ?", place)
    connection.execute("DELETE FROM soft_deleted WHERE subject = ? AND version = ?", place)
