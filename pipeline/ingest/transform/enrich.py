"""Joining reference data to a micro-batch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from pipeline.contract.model import Product, Reference
from pipeline.contract.references.data import load_reference

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
        self._joins = [_Join(reference, table.frame) for reference, table in tables]
        self.versions: Mapping[str, str] = {
            reference.name: table.version for reference, table in tables
        }

    def enrich(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with the reference columns added: null where nothing matches.

        Rows stay in their order and none is added. Where rows of the data hold from a time, the one
        that held at the event's `_event_time` counts.
        """
        for join in self._joins:
            frame = join.add(frame)
        return frame


class _Join:
    """One reference. Keys whose data never changes are looked up; only the others' rows are sorted."""

    def __init__(self, reference: Reference, data: pl.DataFrame) -> None:
        self._on, self._columns = list(reference.on), list(reference.columns)
        begin = reference.valid_from
        instants = pl.lit(BEGINNING) if begin is None else pl.col(begin).fill_null(BEGINNING)
        periods = data.select(*self._on, *self._columns, instants.alias(BEGIN)).sort(BEGIN)
        always = (pl.col(BEGIN) == BEGINNING) & (pl.len().over(self._on) == 1)
        self._constant = periods.filter(always).drop(BEGIN)
        self._changing = periods.filter(~always)

    def add(self, frame: pl.DataFrame) -> pl.DataFrame:
        typed = [pl.col(name).cast(frame.schema[name]) for name in self._on]
        constant, changing = (x.with_columns(typed) for x in (self._constant, self._changing))
        added = frame.join(constant, on=self._on, how="left", maintain_order="left")
        if changing.is_empty():
            return added
        moments = frame.select("_event_time", *self._on).with_row_index(ROW)
        moments = moments.join(changing, on=self._on, how="semi").sort("_event_time")
        # Both sides are sorted, and polars cannot see it under `by`.
        held = moments.join_asof(
            changing, left_on="_event_time", right_on=BEGIN, by=self._on, check_sortedness=False
        )
        return added.with_columns(
            added[name].scatter(held[ROW], held[name]) for name in self._columns
        )
