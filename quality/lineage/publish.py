"""Lineage pages among the cell's Data Docs, where Dagster's UI links to them."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.cells import Cell
from pipeline.contract.lineage.graph import lineage_graph
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.files import write_atomically
from quality.data_docs import site
from quality.lineage.facts import look
from quality.lineage.page import render_page

FOLDER = "lineage"
"""The folder of pages below a cell's site."""

_log = logging.getLogger(__name__)


def find_page(cell: Cell, product: str) -> str | None:
    """Return the path of a product's page below the site; None while there is none."""
    path = Path(FOLDER, f"{product}.html")
    return path.as_posix() if (site(cell) / path).is_file() else None


def publish_page(cell: Cell, product: Product, *, with_cell: bool = True) -> str | None:
    """Write a product's page, with what the cell has by now or of the contract alone. Idempotent.

    Returns its path below the site; None if it cannot be made, which is no reason to fail a run.
    """
    path = Path(FOLDER, f"{product.name}.html")
    target = site(cell) / path
    try:
        facts = look(cell, product) if with_cell else None
        page = render_page(product, lineage_graph(product), facts)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, page)
    except (HeadwaterError, OSError) as error:
        _log.warning("The lineage page of %s is not written: %s", product.name, error)
        return None
    return path.as_posix()
