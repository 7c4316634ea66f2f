"""Making feature tables anew from their whole history, where their contract has other partitions."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import SparkSession

from pipeline.batch.context import RangeContext
from pipeline.batch.feature_table.derive import derive_feature_table
from pipeline.batch.model import Source, Staged
from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.control.publications import PublicationLog
from pipeline.evolution.derived_tables import ANEW, plan_derived_table, read_table_state
from pipeline.evolution.model import Action, Step


def apply_derived(spark: SparkSession, cell: Cell, product: Product) -> Iterator[Step]:
    """Carry out what derived tables need a rewrite for, yielding each step once it is done.

    Left to the next build, which does the same by itself, are partitions by columns that no hour was
    built with yet. A feature table is staged whole from its history, audited against it, and published;
    readers of the tag `served` have the old rows until then. Ended at any point, the same call goes on.
    The caller holds the product's batch lock.

    Raises:
        What `derive_feature_table` raises; what readers get is as it was.
    """
    for derived_table in product.derived_tables:
        for step in plan_derived_table(
            product, derived_table, read_table_state(cell, product, derived_table)
        ):
            if step.action is Action.CHANGE_PARTITIONS and step.reason == ANEW:
                rederive(spark, cell, product, derived_table)
                yield step


def rederive(
    spark: SparkSession, cell: Cell, product: Product, derived_table: DerivedTable
) -> int | None:
    """Derive a feature table from its history under the contract's partitions, and serve it.

    Returns the snapshot that is served; None where no hour of it was published with rows.
    """
    if derived_table.feature is None:
        return None
    table = published_table(product, derived_table)
    log = PublicationLog.read(cell, product.name)
    with_rows = (one for one in log if one.table == table and one.rows)
    newest = max(with_rows, key=lambda one: (one.hour, one.published_at), default=None)
    if newest is None:
        return None
    staged = Staged.of(newest)
    source = Source(staged.source_snapshot_id, newest.source_rows or 0, newest.inputs or "")
    context = RangeContext(
        spark, cell, product, derived_table, {newest.hour: source}, newest.run_id, log
    )
    return derive_feature_table(context, derived_table.feature, staged)
