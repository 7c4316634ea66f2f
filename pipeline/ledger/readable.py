"""Whether the tables that a ledger tells of can be read."""

from __future__ import annotations

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.tables.catalog import find_table, load_table, open_catalog
from pipeline.tables.integrity.readable import check_readable
from pipeline.tables.layout import dead_letters_table, events_table, ledger_table


def check_tables_readable(cell: Cell, product: Product) -> None:
    """Raise if events, dead letters or ledger cannot be read, as far as `check_readable` looks.

    What it costs does not grow with the tables' history.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogLostError, CatalogDamagedError: the catalog is no help.
        FileMissingError, FileDamagedError: with the file.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    for identifier in (events_table(product.name), dead_letters_table(product.name)):
        check_readable(load_table(cell, identifier))
    kept = find_table(open_catalog(cell), ledger_table(product.name))
    if kept is not None:
        check_readable(kept)
