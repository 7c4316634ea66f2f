"""How many dead letters there are, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.tables.catalog import load_table
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import dead_letters_table


def letters_by_reason(cell: Cell, product: Product) -> Mapping[str, int]:
    """Return reason -> dead letters of the product in the cell, most frequent first.

    Raises:
        TableMissingError: the product was never ingested in this cell.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
        FileMissingError, FileDamagedError: with the file.
    """
    table = load_table(cell, dead_letters_table(product.name))
    with reading(table):
        reasons = table.scan(selected_fields=("reason",)).to_arrow().column("reason").to_pylist()
    return dict(Counter(reasons).most_common())
