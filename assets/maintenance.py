"""The upkeep of a product's tables, as an asset: its materializations tell what was done."""

import dagster as dg

from assets.keys import MAINTENANCE_POOL, Keys
from pipeline.supervision.locks import hold_lock, maintenance_lock
from resources.cell import CellResource


def maintenance(keys: Keys) -> dg.AssetsDefinition:
    """Return the asset whose materialization maintains all tables of a product.

    A run that the sensor launches does what is due; one that a person launches does all there is to do.
    Runs wait for each other, in a pool that hours do not wait for.
    """

    spec = dg.AssetSpec(
        keys.maintenance,
        group_name=keys.group,
        description="Compaction, expiry of snapshots, and files that nobody names, of all tables.",
        kinds={"iceberg", "python"},
        owners=keys.owners,
        tags=keys.asset_tags,
    )

    @dg.multi_asset(name=keys.name("upkeep"), specs=[spec], pool=MAINTENANCE_POOL)
    def maintain(
        context: dg.AssetExecutionContext, cell: CellResource
    ) -> dg.MaterializeResult[None]:
        where = cell.load()
        # First of all: a run without its lock is soon taken for dead.
        with hold_lock(maintenance_lock(where, keys.product.name), context.run.run_id):
            from assets.steps.maintenance import maintain_product

            return maintain_product(context, where, keys)

    return maintain
