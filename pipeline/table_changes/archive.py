"""Keeping changes in a table of their own, before the snapshots that tell them expire."""

from __future__ import annotations

import json
from dataclasses import asdict

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.transforms import MonthTransform

from pipeline.cells import Cell
from pipeline.failpoints import failpoint
from pipeline.ledger.archived import Archive
from pipeline.table_changes.from_ledger import changes_before
from pipeline.table_changes.from_snapshots import changes_of
from pipeline.table_changes.kept import Kept, as_rows, kept_property, kept_through
from pipeline.tables.catalog import find_table, load_table, open_catalog
from pipeline.tables.commit import disable_commit_retries, write_files
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.create import Partition, ensure_table
from pipeline.tables.layout import TABLE_CHANGES_SCHEMA, events_table, table_changes_table
from pipeline.tables.transaction import SteadyTransaction

PARTITION: Partition = ("committed_at", MonthTransform(), "committed_month")


def archive_changes(cell: Cell, identifier: str) -> int:
    """Copy the changes of all retained snapshots of a table into its product's table of changes.

    Returns the last sequence number whose changes are kept now: snapshots up to it may expire. The changes
    and that number land in one commit, so that it is idempotent, safe when several do it at once, and
    harmless to interrupt. Reads what came after the last time. The first time, what the ledger has of commits
    of events that had expired before is taken over.

    Raises:
        TableMissingError: there is no such table.
        TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: nothing was kept; try again.
    """
    product, _, name = identifier.partition(".")
    changes_table = table_changes_table(product)

    def attempt() -> int:
        catalog, table = open_catalog(cell), load_table(cell, identifier)
        changes = find_table(catalog, changes_table)
        kept = kept_through(changes, table)
        rows = as_rows(changes_of(table, kept))
        if not rows.num_rows:
            return kept
        changes = ensure_table(catalog, changes_table, TABLE_CHANGES_SCHEMA, PARTITION)
        # A rebased append would land beside the same changes of another process.
        disable_commit_retries(changes)
        if kept_through(changes, table) != kept:
            raise CommitFailedException("another process kept changes meanwhile")
        newest: int = max(kept, *rows["sequence_number"].to_pylist())
        if not kept and identifier == events_table(product):
            rows = pa.concat_tables([_expired(cell, table, rows), rows])
        _commit(changes, rows, name, Kept(str(table.metadata.table_uuid), newest))
        return newest

    return retry_commit(attempt, f"{cell.name}.{changes_table}")


def _expired(cell: Cell, events: Table, rows: pa.Table) -> pa.Table:
    oldest = min(rows["sequence_number"].to_pylist())
    return as_rows(changes_before(Archive.load(cell, events.name()[0]), events, oldest))


def _commit(changes: Table, rows: pa.Table, name: str, kept: Kept) -> None:
    files = write_files(changes, rows)
    failpoint("table_changes.before_archive_commit")
    transaction = SteadyTransaction(changes)
    transaction.append_files(files)
    transaction.set_properties({kept_property(name): json.dumps(asdict(kept))})
    transaction.commit_transaction()
    failpoint("table_changes.after_archive_commit")
