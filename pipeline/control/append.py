"""Adding rows to a product's control tables, each once, whoever adds them at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa
from pyiceberg.table import Table
from pyiceberg.transforms import MonthTransform

from pipeline.cells import Cell
from pipeline.tables.catalog import open_catalog
from pipeline.tables.commit import disable_commit_retries, write_files
from pipeline.tables.commit_retry import retry_commit
from pipeline.tables.create import Partition, ensure_table
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import HOUR_COLUMN
from pipeline.tables.transaction import SteadyTransaction

Row = TypeVar("Row")

PARTITION: Partition = (HOUR_COLUMN, MonthTransform(), "hour_month")
"""Of every control table: who asks for some hours opens the files of their months."""


def add_missing(
    cell: Cell,
    identifier: str,
    schema: pa.Schema,
    missing: Callable[[Table], Sequence[Row]],
    to_row: Callable[[Row], Mapping[str, Any]],
) -> tuple[Row, ...]:
    """Add what `missing` finds a table to lack, and return it; the table is created where it is absent.

    All are added in one commit, or none. `missing` is asked anew whenever another writer came first.

    Raises:
        TableBusyError: other writers came first for a minute; nothing was added.
        CatalogLostError: the table lies in the warehouse, and the catalog does not know it.
        CatalogUnavailableError, WarehouseUnavailableError, DiskFullError: try again later.
    """

    def attempt() -> tuple[Row, ...]:
        table = ensure_table(open_catalog(cell), identifier, schema, PARTITION)
        # A rebased append would land beside the same row of another process.
        disable_commit_retries(table)
        rows = tuple(missing(table))
        if rows:
            # Who only reads control tables imports this module too, and is spared what rewrites files.
            from pipeline.maintenance.tidy import tidy

            added = pa.Table.from_pylist([to_row(row) for row in rows], schema=schema)
            # Rows are added one at a time: `Table.append` costs more with every snapshot there is.
            transaction = SteadyTransaction(table)
            transaction.append_files(write_files(table, added))
            transaction.commit_transaction()
            tidy(table)
        return rows

    subject = f"{cell.name}.{identifier}"
    with named_errors(subject, cell.warehouse):
        return retry_commit(attempt, subject)
