"""The ledger table: entries of the books that outlive the snapshots which carried them."""

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
from pipeline.tables.commit import CONTRACT_VERSION_KEY, RUN_ID_KEY, refuse_hidden_retries
from pipeline.tables.commit_retry import until_it_lands
from pipeline.tables.create import PROPERTIES
from pipeline.tables.layout import LEDGER_SCHEMA, events_table, ledger_table
from pipeline.tables.snapshots import main_history
from pipeline.tables.transaction import SteadyTransaction

KEPT_PROPERTY = "headwater.ledger-kept"
"""Table property of the ledger table: the last sequence number of events whose entries it holds."""


def keep(cell: Cell, product: Product) -> int:
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
        refuse_hidden_retries(table)
        through = kept_through(table)
        new = [one for one in main_history(events) if (one.sequence_number or 0) > through]
        if not new:
            return through
        newest = max(one.sequence_number or 0 for one in new)
        transaction = SteadyTransaction(table)
        transaction.append(_rows(reversed(new)))
        transaction.set_properties({KEPT_PROPERTY: str(newest)})
        transaction.commit_transaction()
        return newest

    return until_it_lands(attempt, f"{cell.name}.{ledger_table(product.name)}")


def kept_through(table: Table) -> int:
    """Return the last sequence number of events whose entries the ledger table holds, 0 for none."""
    return int(table.properties.get(KEPT_PROPERTY, "0"))


def read_kept(cell: Cell, product: str) -> tuple[tuple[Line, ...], int]:
    """Return the kept lines, oldest commit first, and what `kept_through` says of them."""
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
    return lines, kept_through(table)


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
