"""Column lineage among the cell's Data Docs, where Dagster's UI shows it from."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.cells import Cell
from pipeline.contract.lineage.chart import column_lineage_chart
from pipeline.contract.lineage.trace import trace_columns
from pipeline.contract.model import Product
from pipeline.files import write_atomically
from quality.data_docs import site

_log = logging.getLogger(__name__)


def publish_column_lineage(cell: Cell, product: Product, table: str) -> str | None:
    """Draw a table's column lineage into the cell's Data Docs. Idempotent.

    Returns its path below the site; None if it cannot be written, which is no reason to fail a run.
    """
    path = Path("pictures", "columns", f"{product.name}.{table}.svg")
    target = site(cell) / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(
            target, column_lineage_chart(f"Columns of {table}", trace_columns(product, table))
        )
    except OSError as error:
        _log.warning("The columns of %s.%s are not drawn: %s", product.name, table, error)
        return None
    return path.as_posix()
