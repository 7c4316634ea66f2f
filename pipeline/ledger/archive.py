"""The ledger table: entries of the ledger that outlive the snapshots which carried them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import pyarrow as pa
from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ledger.lines import Line, lines_of
from pipeline.ledger.model import Entry
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.commit import CONTRACT_VERSION_KEY, RUN_ID_KEY, disable_commit_retries
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.create import PROPERTIES
from pipeline.tables.layout import LEDGER_SCHEMA, events_table, ledger_table
from pipeline.tables.snapshots import main_history
from pipeline.tables.transaction import SteadyTransaction

ARCHIVED_PROPERTY = "headwater.ledger-kept"
"""Table property of the ledger table: the last sequence number of events whose entries it holds."""


def archive_entries(cell: Cell, product: Product) -> int:
    """Copy the entries of all retained snapshots of events into the ledger table.

    Returns the last sequence number of events whose entries are kept now: snapshots up to it may
    expire. Entries and that number land in one commit, so that it is idempotent, safe when several do
    it at once, and harmless to interrupt.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: nothing was kept; try again.
    """
    events = load_table(cell, events_table(product.name))

    def attempt() -> int:
        table = _ensure(cell, product.name)
        # A rebased append would land beside the same entries of another process.
        disable_commit_retries(table)
        through = archived_through(table)
        new = [one for one in main_history(events) if (one.sequence_number or 0) > through]
        if not new:
            return through
        newest = max(one.sequence_number or 0 for one in new)
        transaction = SteadyTransaction(table)
        transaction.append(_rows(reversed(new)))
        transaction.set_properties({ARCHIVED_PROPERTY: str(newest)})
        transaction.commit_transaction()
        return newest

    return retry_commit(attempt, f"{cell.name}.{ledger_table(product.name)}")


def archived_through(table: Table) -> int:
    """Return the last sequence number of events whose entries the ledger table holds, 0 for none."""
    return int(table.properties.get(ARCHIVED_PROPERTY, "0"))


def read_archive(cell: Cell, product: str) -> tuple[tuple[Line, ...], int]:
    """Return the kept lines, oldest commit first, and what `archived_through` says of them."""
    try:
        table = open_catalog(cell).load_table(ledger_table(product))
    except NoSuchTableError:
        return (), 0
    rows = table.scan().to_arrow().sort_by([("sequence_number", "ascending")]).to_pylist()
    names = Entry.__dataclass_fields__
    lines = tuple(
        Line(
            entry=Entry(**{name: row[name] for name in names}),
            snapshot_id=row["snapshot_id"],
            sequence_number=row["sequence_number"],
            committed_at=row["committed_at"],
        )
        for row in rows
    )
    return lines, archived_through(table)


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


def _ensure(cell: Cell, product: str) -> Table:
    catalog = open_catalog(cell)
    name = ledger_table(product)
    try:
        return catalog.load_table(name)
    except NoSuchTableError:
        try:
            return catalog.create_table(name, LEDGER_SCHEMA, properties=PROPERTIES)
        except TableAlreadyExistsError:
            return catalog.load_table(name)
