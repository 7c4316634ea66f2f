"""A catalog that parses a table's metadata once, however often the table is loaded and committed to."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io import load_file_io
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata, TableMetadataV2
from pyiceberg.table.update import TableRequirement, TableUpdate
from pyiceberg.typedef import Identifier
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session


class _Parsed(NamedTuple):
    """A metadata file's length in bytes, and what it says."""

    location: str
    length: int
    metadata: TableMetadata


_newest: dict[tuple[str, str, str], _Parsed] = {}
"""Catalog's address and name, table -> what this process last saw of it: as many as there are tables."""


class SharedMetadata(TableMetadataV2):
    """Metadata that its copies share: PyIceberg's are frozen, and a change makes a new one.

    The library copies every snapshot of it at every commit otherwise.
    """

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> SharedMetadata:
        """Return a copy whose snapshots, schemas and logs are this one's."""
        return self.__copy__()


class CachedCatalog(SqlCatalog):
    """PyIceberg's, which knows the newest metadata file of each table by heart: it is never written again.

    Which file is the newest, the catalog says at every load. One that is gone, or is of another length, is
    read anew, and so raises what it raises. Damage of the same length is seen by the next process only.
    Metadata is shared by all who load the table: it must not be changed in place.
    """

    def __init__(self, name: str, **properties: str):
        """Open it. Raises as the library's does, and then leaves no connection open."""
        try:
            super().__init__(name, **properties)
        except SQLAlchemyError:
            if engine := vars(self).get("engine"):
                engine.dispose()
            raise

    def load_table(self, identifier: str | Identifier) -> Table:
        """Load the table. Raises as the library's does."""
        key = self._key(identifier)
        known = _newest.get(key)
        if known is not None and metadata_location(self, key[-1]) == known.location:
            properties = {**self.properties, **known.metadata.properties}
            io = load_file_io(properties, known.location)
            if len(io.new_input(known.location)) == known.length:
                name = Catalog.identifier_to_tuple(identifier)
                return Table(name, known.metadata, known.location, io, self)
        table = super().load_table(identifier)
        table.metadata = self._remember(identifier, table, table.metadata, table.metadata_location)
        return table

    def commit_table(
        self,
        table: Table,
        requirements: tuple[TableRequirement, ...],
        updates: tuple[TableUpdate, ...],
    ) -> CommitTableResponse:
        """Commit. Raises as the library's does, and nothing after the commit."""
        done = super().commit_table(table, requirements, updates)
        self._remember(table.name(), table, done.metadata, done.metadata_location)
        return done

    def _remember(
        self, identifier: str | Identifier, table: Table, metadata: TableMetadata, location: str
    ) -> TableMetadata:
        if type(metadata) is TableMetadataV2:
            fields = {name: getattr(metadata, name) for name in TableMetadataV2.model_fields}
            metadata = SharedMetadata.model_construct(metadata.model_fields_set, **fields)
        # Others' commits may have let go of the file already; it is not the newest then.
        with suppress(OSError):
            length = len(table.io.new_input(location))
            _newest[self._key(identifier)] = _Parsed(location, length, metadata)
        return metadata

    def _key(self, identifier: str | Identifier) -> tuple[str, str, str]:
        return (
            self.properties["uri"],
            self.name,
            ".".join(Catalog.identifier_to_tuple(identifier)),
        )


def metadata_location(catalog: Catalog, identifier: str) -> str | None:
    """Return which metadata file the catalog names for a table, None where it has none.

    Of a catalog in a database, no file is opened.
    """
    if not isinstance(catalog, SqlCatalog):
        try:
            return catalog.load_table(identifier).metadata_location
        except NoSuchTableError:
            return None
    namespace, _, name = identifier.partition(".")
    with Session(catalog.engine) as session:
        found: str | None = session.scalar(
            select(IcebergTables.metadata_location).where(
                IcebergTables.catalog_name == catalog.name,
                IcebergTables.table_namespace == namespace,
                IcebergTables.table_name == name,
            )
        )
    return found
