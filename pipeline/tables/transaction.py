"""A transaction whose cost does not grow with the table's history."""

from __future__ import annotations

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
