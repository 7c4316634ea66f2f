"""The embedded registry: one SQLite file on a local disk, shared by any number of processes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.schemas.levels import DEFAULT_LEVEL
from pipeline.schemas.registry import SchemaRef, as_mapping, not_found
from pipeline.schemas.sqlite_file import SqliteFile
from pipeline.schemas.versions import StoredVersion, add_version, live_subjects, stored

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
        with self.file.connection() as connection:
            row = connection.execute(
                "SELECT text FROM schemas WHERE id = ?", (schema_id,)
            ).fetchone()
        if row is None:
            raise not_found(f"schema id {schema_id}")
        return as_mapping(json.loads(row[0]))

    def version(self, subject: str, version: int) -> SchemaRef:
        """See `Registry.version`."""
        where = f"WHERE v.subject = ? AND v.version = ? AND {_LIVE}"
        with self.file.connection() as connection:
            found = stored(connection, where, subject, version)
        if not found:
            raise not_found(f"version {version} of {subject}")
        return _ref(found[0])

    def latest(self, subject: str) -> SchemaRef:
        """See `Registry.latest`."""
        where = f"WHERE v.subject = ? AND {_LIVE} ORDER BY v.version DESC LIMIT 1"
        with self.file.connection() as connection:
            found = stored(connection, where, subject)
        if not found:
            raise not_found(f"subject {subject}")
        return _ref(found[0])

    def subjects(self) -> Sequence[str]:
        """See `Registry.subjects`."""
        with self.file.connection() as connection:
            return live_subjects(connection)


def _ref(found: StoredVersion) -> SchemaRef:
    return SchemaRef(found.subject, found.version, found.id, as_mapping(found.schema))
