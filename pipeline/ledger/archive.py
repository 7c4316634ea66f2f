"""Keeping entries of the ledger in a table of their own, before the snapshots that carried them expire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace

import pyarrow as pa
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.transforms import DayTransform

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.failpoints import failpoint
from pipeline.ledger.archived import ARCHIVED_PROPERTY, Archive
from pipeline.ledger.balance import BALANCE_PROPERTY, Balance, close
from pipeline.ledger.lines import lines_of
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.commit import (
    CONTRACT_VERSION_KEY,
    RUN_ID_KEY,
    disable_commit_retries,
    write_files,
)
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.create import Partition, ensure_table
from pipeline.tables.layout import LEDGER_SCHEMA, events_table, ledger_table
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import main_history
from pipeline.tables.transaction import SteadyTransaction

PARTITION: Partition = ("committed_at", DayTransform(), "committed_day")
"""By day, so that neither compaction nor a look at the last hours ever opens files of older ones."""


def archive_entries(cell: Cell, product: Product) -> int:
    """Copy the entries of all retained snapshots of events into the ledger table, and close its balance.

    Returns the last sequence number of events whose entries are kept now: snapshots up to it may
    expire. Entries, that number and the closed balance land in one commit, so that it is idempotent, safe
    when several do it at once, and harmless to interrupt. Reads what came after the last balance: in a table
    of an older format that is everything, once.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: nothing was kept; try again.
    """
    events = load_table(cell, events_table(product.name))

    def attempt() -> int:
        table = ensure_table(
            open_catalog(cell), ledger_table(product.name), LEDGER_SCHEMA, PARTITION
        )
        # A rebased append would land beside the same entries of another process.
        disable_commit_retries(table)
        archive = Archive.of(table)
        history = (one for one in main_history(events) if _number(one) > archive.through)
        new = sorted(history, key=_number)
        newest = max(archive.through, *map(_number, new)) if new else archive.through
        balance = _closed(archive, events, new, newest)
        if not new and balance.through == archive.balance.through:
            return archive.through
        _commit(table, new, newest, balance)
        return newest

    return retry_commit(attempt, f"{cell.name}.{ledger_table(product.name)}")


def _closed(archive: Archive, events: Table, new: list[Snapshot], newest: int) -> Balance:
    """Return the balance of all that is archived and `new`, as far as it is proven."""
    offsets = committed_offsets(events)
    lines = [*archive.lines(), *(line for snapshot in new for line in lines_of(snapshot))]
    return close(archive.balance, lines, {} if offsets is None else offsets.first, newest)


def _commit(table: Table, new: list[Snapshot], newest: int, balance: Balance) -> None:
    files = write_files(table, _rows(new))
    failpoint("ledger.before_archive_commit")
    transaction = SteadyTransaction(table)
    written = replace(balance, snapshot_id=transaction.append_files(files))
    transaction.set_properties(
        {ARCHIVED_PROPERTY: str(newest), BALANCE_PROPERTY: written.to_json()}
    )
    transaction.commit_transaction()
    failpoint("ledger.after_archive_commit")


def _number(snapshot: Snapshot) -> int:
    return snapshot.sequence_number or 0


def _rows(snapshots: Iterable[Snapshot]) -> pa.Table:
    rows = []
    for snapshot in snapshots:
        said = {} if snapshot.summary is None else snapshot.summary.additional_properties
        rows += [
            {
                **asdict(line.entry),
                "snapshot_id": line.snapshot_id,
                "sequence_number": line.sequence_number,
                "committed_at": line.committed_at,
                "run_id": said.get(RUN_ID_KEY),
                "contract_version": said.get(CONTRACT_VERSION_KEY),
            }
            for line in lines_of(snapshot)
        ]
    return pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA)
