"""Joining reference data to a micro-batch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from pipeline.contract.model import Product, Reference
from pipeline.contract.reference import load_reference

ROW = "__row_of_batch"
BEGIN = "__valid_from"
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class Enricher:
    """Holds a product's reference data, as it was when this was made.

    Attributes:
        versions: reference name -> digest of the data that every batch is joined to.
    """

    def __init__(self, product: Product) -> None:
        tables = [
            (reference, load_reference(product, reference))
            for reference in product.references
            if reference.columns
        ]
        self._periods = [
            (reference, _periods(reference, table.frame)) for reference, table in tables
        ]
        self.versions: Mapping[str, str] = {
            reference.name: table.version for reference, table in tables
        }

    def enrich(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with the reference columns added: null where nothing matches.

        Rows stay in their order and none is added. Where rows of the data hold from a time, the one
        that held at the event's `_event_time` counts.
        """
        for reference, periods in self._periods:
            on = list(reference.on)
            keys = periods.with_columns(pl.col(c).cast(frame.schema[c]) for c in on)
            if reference.valid_from is None:
                frame = frame.join(keys, on=on, how="left", maintain_order="left")
            else:
                frame = _join_as_of(frame, keys, on)
        return frame


def _periods(reference: Reference, data: pl.DataFrame) -> pl.DataFrame:
    columns = [*reference.on, *reference.columns]
    if reference.valid_from is None:
        return data.select(columns)
    begin = pl.col(reference.valid_from).fill_null(BEGINNING).alias(BEGIN)
    return data.select(*columns, begin).sort(BEGIN)


def _join_as_of(frame: pl.DataFrame, periods: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    placed = frame.select("_event_time", *on).with_row_index(ROW).sort("_event_time")
    # Both sides are sorted, and polars cannot see it under `by`.
    found = placed.join_asof(
        periods, left_on="_event_time", right_on=BEGIN, by=on, check_sortedness=False
    )
    added = found.sort(ROW).drop(ROW, BEGIN, "_event_time", *on, strict=False)
    return pl.concat([frame, added], how="horizontal")
