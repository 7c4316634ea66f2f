"""A transaction whose cost does not grow with the table's history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyiceberg.manifest import DataFile
from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata

from pipeline.tables.pyiceberg_private import table_of


class SteadyTransaction(Transaction):
    """A transaction whose parts do not depend on each other: each sees the table as loaded.

    For one new snapshot, properties and expiry. PyIceberg's own copies the whole metadata, every
    snapshot of it, whenever it is asked about it: sixteen times a commit, twice for every snapshot
    that expires.
    """

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata without what is staged. Not to be changed."""
        return table_of(self).metadata

    def append_files(
        self, files: Iterable[DataFile], summary: Mapping[str, str] | None = None
    ) -> int:
        """Add a snapshot with `files` to what is staged, which may be none, and return its id.

        `summary` goes into the snapshot's own. A commit that is tried again after another's has another id.
        """
        update = self.update_snapshot(snapshot_properties=dict(summary or {}))
        with update.fast_append() as append:
            for file in files:
                append.append_data_file(file)
            return append.snapshot_id
