"""The embedded registry: one SQLite file on a local disk, shared by any number of processes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.schemas.levels import DEFAULT_LEVEL
from pipeline.schemas.registry import SchemaRef, as_mapping, not_found
from pipeline.schemas.sqlite_file import SqliteFile
from pipeline.schemas.texts import AVRO, SchemaText, TextRef
from pipeline.schemas.versions import (
    StoredVersion,
    add_version,
    live_subjects,
    stored,
    text_of_id,
)

LOCK_WAIT_S = 60
"""How long a call waits for another process's registration."""
_LIVE = "d.version IS NULL"


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
        self.file = SqliteFile(database, lock_wait_s, first_id)

    def register(self, subject: str, schema: Mapping[str, Any]) -> SchemaRef:
        """See `Registry.register`."""
        with self.file.writing() as connection:
            return _ref(add_version(connection, subject, schema, DEFAULT_LEVEL))

    def schema(self, schema_id: int) -> dict[str, Any]:
        """See `Registry.schema`."""
        found = self.text(schema_id)
        if found.type != AVRO:
            raise not_found(f"schema id {schema_id} as an Avro schema")
        return as_mapping(json.loads(found.text))

    def version(self, subject: str, version: int) -> SchemaRef:
        """See `Registry.version`."""
        return _ref(self._version(subject, version))

    def latest(self, subject: str) -> SchemaRef:
        """See `Registry.latest`."""
        return _ref(self._version(subject))

    def register_text(self, subject: str, schema: SchemaText) -> TextRef:
        """See `Registry.register_text`."""
        with self.file.writing() as connection:
            return _text_ref(add_version(connection, subject, schema, DEFAULT_LEVEL))

    def text(self, schema_id: int) -> SchemaText:
        """See `Registry.text`."""
        with self.file.connection() as connection:
            found = text_of_id(connection, schema_id)
        if found is None:
            raise not_found(f"schema id {schema_id}")
        return found

    def text_version(self, subject: str, version: int | None = None) -> TextRef:
        """See `Registry.text_version`."""
        return _text_ref(self._version(subject, version))

    def subjects(self) -> Sequence[str]:
        """See `Registry.subjects`."""
        with self.file.connection() as connection:
            return live_subjects(connection)

    def _version(self, subject: str, version: int | None = None) -> StoredVersion:
        number = "" if version is None else "AND v.version = ?"
        where = f"WHERE v.subject = ? {number} AND {_LIVE} ORDER BY v.version DESC LIMIT 1"
        values = (subject,) if version is None else (subject, version)
        with self.file.connection() as connection:
            found = stored(connection, where, *values)
        if not found:
            what = (
                f"version {version} of {subject}" if version is not None else f"subject {subject}"
            )
            raise not_found(what)
        return found[0]


def _text_ref(found: StoredVersion) -> TextRef:
    return TextRef(found.subject, found.version, found.id, found.schema_text)


def _ref(found: StoredVersion) -> SchemaRef:
    if not found.is_avro:
        raise not_found(f"version {found.version} of {found.subject} as an Avro schema")
    return SchemaRef(found.subject, found.version, found.id, as_mapping(found.schema))
