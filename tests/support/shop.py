"""A product of orders whose table `sales` a test builds: what readers see of it, and what tags keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import SparkSession

from pipeline.batch.context import RangeContext
from pipeline.batch.model import Source
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.control.publications import PublicationLog
from pipeline.tables.catalog import TableMissingError, load_table
from tests.support.orders import Orders

TABLE = "orders.sales"
Sales = list[tuple[str, int, int]]
"""Rows of an hour: (region, orders, amount), sorted."""


@dataclass
class Shop:
    """Everything one test works on."""

    spark: SparkSession
    cell: Cell
    product: Product
    orders: Orders

    def pinned(self, sources: Mapping[datetime, Source]) -> RangeContext:
        """Return the context of hours of `sales` that are computed from `sources`."""
        log = PublicationLog.read(self.cell, self.product.name)
        table = self.product.derived_tables[0]
        return RangeContext(self.spark, self.cell, self.product, table, sources, "run", log)

    def main(self) -> int | None:
        """Return the snapshot that readers see; None before there is any."""
        try:
            return load_table(self.cell, TABLE).metadata.current_snapshot_id
        except TableMissingError:
            return None

    def tags(self) -> set[str]:
        """Return the names of what keeps snapshots off main from expiry."""
        return {ref for ref in load_table(self.cell, TABLE).metadata.refs if ref != "main"}

    def published(self) -> dict[datetime, Sales]:
        """Return what readers see of each hour that has rows."""
        found: dict[datetime, Sales] = {}
        for row in load_table(self.cell, TABLE).scan().to_arrow().to_pylist():
            found.setdefault(row["hour"], []).append((row["region"], row["orders"], row["amount"]))
        return {at: sorted(rows) for at, rows in found.items()}
