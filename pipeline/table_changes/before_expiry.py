"""Keeping what snapshots tell, before they expire: ledger entries of events, and changes of every table."""

from __future__ import annotations

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ledger.archive import archive_entries
from pipeline.table_changes.archive import archive_changes
from pipeline.table_changes.kept import tells_changes
from pipeline.tables.layout import events_table


def kept_elsewhere(cell: Cell, product: Product, identifier: str) -> int | None:
    """Keep what the retained snapshots of a table tell; return the last sequence number that is kept.

    Snapshots up to it may expire. None where snapshots tell nothing that is to be kept: all may.
    Idempotent, and harmless to interrupt.

    Raises:
        TableMissingError: there is no such table.
        TableBusyError, CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    if not tells_changes(identifier.partition(".")[2]):
        return None
    through = archive_changes(cell, identifier)
    if identifier == events_table(product.name):
        return min(through, archive_entries(cell, product))
    return through
