"""A feature table, derived from its history: each entity's newest value, from each hour's last build."""

from __future__ import annotations

from pipeline.batch.context import RangeContext
from pipeline.batch.errors import StagingOutdatedError
from pipeline.batch.feature_table.partitions import finish_partitions
from pipeline.batch.feature_table.stage_derived import stage_derived
from pipeline.batch.model import Staged
from pipeline.batch.wap.publish import publish
from pipeline.batch.wap.tags import serve
from pipeline.batch.wap.target import Target
from pipeline.contract.model import DerivedTable, Feature, Product
from pipeline.failpoints import failpoint
from pipeline.spark.column_types import quoted
from pipeline.tables.layout import HOUR_COLUMN, product_table

ATTEMPTS = 3
"""How often the table is derived anew before somebody else who keeps changing it wins."""


def feature_table_target(product: Product, derived_table: DerivedTable, feature: Feature) -> Target:
    """Return the feature table itself."""
    partitioning = tuple(quoted(column) for column in feature.partitions)
    return Target(product_table(product.name, derived_table.name), partitioning, (HOUR_COLUMN,))


def derive_feature_table(context: RangeContext, feature: Feature, staged: Staged) -> int | None:
    """Bring the feature table up to its history, whose main holds the rows of `staged`, and serve it.

    Replaces the partitions that the builds of the staged hours have rows of: in each, an entity's row of
    its newest hour, by that hour's last build. All of them are replaced where one is left without rows,
    and where the contract has other partitions than the table was made with. They are replaced whole or
    not at all, and the tag `served` moves after that; returns the snapshot it is on. Idempotent: to
    derive again gives the same rows.

    Where the staged hours are later than all others that count, and the table is known to hold what its
    history gave before them, it is made of what it has and of the staged rows, and no other hour is read:
    with the same rows.

    Raises:
        StagingOutdatedError: somebody else kept changing the same partitions.
        LogicError, SparkFailedError: as `stage`; what readers get is as it was.
        TableBusyError: other writers came first for a minute; what readers get is as it was.
    """
    if staged.snapshot_id is None:
        return None
    target = feature_table_target(context.product, context.derived_table, feature)
    attempt = 0
    while True:
        attempt += 1
        try:
            derived = stage_derived(context, feature, staged, target)
            failpoint("hour.after_stage_current")
            publish(context.spark, context.cell, derived.staged)
        except StagingOutdatedError:
            if attempt == ATTEMPTS:
                raise
            continue
        failpoint("hour.after_publish_current")
        served = serve(context.cell, target.identifier)
        if derived.anew:
            finish_partitions(context.cell, target)
        return served
