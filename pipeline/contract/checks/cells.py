"""Cells that a contract names, against those that are configured where it is checked."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pipeline.config.nearest import did_you_mean
from pipeline.contract.folders import CONTRACT_FILE
from pipeline.contract.model import Product
from pipeline.contract.settings.product import read_product_settings
from pipeline.contract.source.document import Document
from pipeline.contract.source.mistakes import Mistake
from pipeline.contract.source.reader import ContractReader


def unknown_cells(product: Product, known: Collection[str]) -> Iterator[Mistake]:
    """Yield the cells of a product that are probably misspelt, each with its place. Nothing if none is known.

    A cell that is configured on other machines alone is none: told are those that are nearly a known one, and
    all if the product has no known cell.
    """
    if not known:
        return
    reader = ContractReader(Document(product.folder / CONTRACT_FILE))
    _, loc = read_product_settings(reader)
    is_lost = not set(product.cells) & set(known)
    for number, cell in enumerate(product.cells):
        hint = did_you_mean(cell, known)
        if cell not in known and (hint or is_lost):
            listed = ", ".join(sorted(known))
            expected = f"a cell that is configured here ({listed}); not {cell!r}{hint}"
            yield reader.document.mistake((*loc, "cells", number), expected)
