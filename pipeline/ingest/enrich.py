"""Joining reference data to a micro-batch."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.contract.model import Product
from pipeline.contract.reference import ReferenceTable, load_reference


class Enricher:
    """Holds a product's reference data, as it was when this was made.

    Attributes:
        versions: reference name -> digest of the data that every batch is joined to.
    """

    def __init__(self, product: Product) -> None:
        self._tables: list[tuple[tuple[str, ...], tuple[str, ...], ReferenceTable]] = [
            (reference.on, reference.columns, load_reference(product, reference))
            for reference in product.references
        ]
        self.versions: Mapping[str, str] = {
            reference.name: table.version
            for reference, (_, _, table) in zip(product.references, self._tables, strict=True)
        }

    def enrich(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with the reference columns added: null where nothing matches.

        Rows stay in their order and none is added: of several matches the first counts.
        """
        for on, columns, table in self._tables:
            wanted = table.frame.select(*on, *columns).unique(on, keep="first", maintain_order=True)
            keys = wanted.with_columns(pl.col(c).cast(frame.schema[c]) for c in on)
            frame = frame.join(keys, on=list(on), how="left", maintain_order="left")
        return frame
