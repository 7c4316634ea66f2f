"""One hourly table: a partition an hour, audited before it is published."""

from collections.abc import Iterator

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from assets.columns import column_lineage, contract_schema
from assets.keys import AUDIT_CHECK, Keys, owners, tag
from assets.partitions import hourly
from pipeline.code_version import code_version
from pipeline.contract.join import EVENTS
from pipeline.contract.model import Aggregate
from pipeline.contract.sources import derived_sources
from pipeline.locks import batch_lock, hold
from pipeline.tables.layout import aggregate_table
from resources.cell import CellResource


def hourly_asset(keys: Keys, aggregate: Aggregate) -> dg.AssetsDefinition:
    """Return the asset of one aggregate, with its audit as a blocking check.

    A run builds a range of hours, oldest first, and logs a materialization as each is published. An
    hour whose audit fails is not published: the table's main is as it was, the other hours go on,
    and then the check and the run fail.
    """
    product = keys.product
    version = code_version(aggregate.folder)

    @dg.asset(
        key=keys.aggregate(aggregate),
        deps=[*_reads(keys, aggregate), *map(keys.source, aggregate.references)],
        partitions_def=hourly(product),
        backfill_policy=dg.BackfillPolicy.single_run(),
        output_required=False,
        group_name=keys.group,
        description=aggregate.description,
        kinds={"spark", "iceberg"},
        owners=owners(aggregate.owner),
        tags=keys.asset_tags | {"domain": tag(aggregate.domain)},
        code_version=version,
        metadata={
            "dagster/column_schema": contract_schema(aggregate.columns),
            "dagster/column_lineage": column_lineage(keys, derived_sources(aggregate)),
            "dagster/table_name": f"{keys.cell}.{aggregate_table(product.name, aggregate.name)}",
            "logic": dg.MetadataValue.md(
                f"```{aggregate.logic.language}\n{aggregate.logic.text}\n```"
            ),
        },
        check_specs=[
            dg.AssetCheckSpec(
                AUDIT_CHECK,
                asset=keys.aggregate(aggregate),
                description="Great Expectations' verdict on the staged hour, before it is published.",
                blocking=True,
            )
        ],
    )
    def build(
        context: dg.AssetExecutionContext,
        cell: CellResource,
        spark: dg.ResourceParam[LazyPySparkResource],
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckResult]:
        where = cell.load()
        # First of all: a run without its lock is soon taken for dead.
        with hold(batch_lock(where, product.name), context.run_id):
            from assets.steps.hours import build_hours

            session = spark.spark_session
            yield from build_hours(context, session, where, keys, aggregate, version)

    return build


def _reads(keys: Keys, aggregate: Aggregate) -> Iterator[dg.AssetDep]:
    """Yield what an hour depends on, and which hours of it."""
    for read in aggregate.reads:
        if read.table == EVENTS:
            yield dg.AssetDep(keys.events)
        # A backfill would wait for ever for the hour before an hour that has none.
        if read.table in (EVENTS, aggregate.name):
            continue
        mapping = dg.TimeWindowPartitionMapping(
            start_offset=1 - read.hours - read.back,
            end_offset=-read.back,
            allow_nonexistent_upstream_partitions=True,
        )
        yield dg.AssetDep(keys.source(read.table), partition_mapping=mapping)
