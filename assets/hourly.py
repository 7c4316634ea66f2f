"""The derived tables of a product: one step builds hours of them all, audited before published."""

from collections.abc import Iterator

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from assets.columns import column_lineage, column_origins, contract_schema
from assets.keys import AUDIT_CHECK, LINEAGE_CHECK, SPARK_POOL, Keys, owners, tag
from assets.partitions import hourly, to_key
from pipeline.code_version import code_version
from pipeline.contract.lineage.sources import derived_sources
from pipeline.contract.model import EVENTS, DerivedTable
from pipeline.hours.first import first_hour
from pipeline.supervision.locks import batch_lock, hold_lock
from pipeline.tables.layout import product_table
from resources.cell import CellResource


def derived_tables(keys: Keys) -> dg.AssetsDefinition:
    """Return the assets of a product's derived tables, each with two blocking checks.

    A run builds a range of hours of the tables that it selects, hour by hour, each table after those
    that it reads, in one Spark session; it logs a materialization as each hour of each is published,
    and none for what needed no build. An hour that fails is not published: its table's main is as it
    was, what reads it waits, everything else goes on, and then the check or the run fails.
    """
    product = keys.product
    versions = {table.name: code_version(table.folder) for table in product.derived_tables}

    @dg.multi_asset(
        name=keys.name("derived"),
        specs=[_spec(keys, table, versions[table.name]) for table in product.derived_tables],
        partitions_def=hourly(product),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        pool=SPARK_POOL,
        check_specs=[
            dg.AssetCheckSpec(
                AUDIT_CHECK,
                asset=keys.derived_table(table),
                description="Great Expectations' verdict on the staged hour, before it is published.",
                blocking=True,
            )
            for table in product.derived_tables
        ]
        + [
            dg.AssetCheckSpec(
                LINEAGE_CHECK,
                asset=keys.derived_table(table),
                description="Every row of the run's hours came by a publication.",
                blocking=True,
            )
            for table in product.derived_tables
        ],
    )
    def build(
        context: dg.AssetExecutionContext,
        cell: CellResource,
        spark: dg.ResourceParam[LazyPySparkResource],
    ) -> Iterator[dg.AssetCheckResult]:
        where = cell.load()
        # First of all: a run without its lock is soon taken for dead.
        with hold_lock(batch_lock(where, product.name), context.run.run_id):
            from assets.steps.hours import materialize_hours

            yield from materialize_hours(context, spark.spark_session, where, keys, versions)

    return build


def _spec(keys: Keys, table: DerivedTable, version: str) -> dg.AssetSpec:
    sources = derived_sources(table)
    logic = f"```{table.logic.language}\n{table.logic.text}\n```"
    return dg.AssetSpec(
        keys.derived_table(table),
        deps=[*_reads(keys, table), *map(keys.source, table.references)],
        skippable=True,
        group_name=keys.group,
        description=table.description,
        kinds={"spark", "iceberg"},
        owners=owners(table.owner),
        tags=keys.asset_tags | {"domain": tag(table.domain)},
        code_version=version,
        metadata={
            "dagster/column_schema": contract_schema(table.columns),
            "dagster/column_lineage": column_lineage(keys, sources),
            "columns": column_origins(keys, table.name, sources),
            "dagster/table_name": f"{keys.cell}.{product_table(keys.product.name, table.name)}",
            "first hour": to_key(first_hour(keys.product)),
            "logic": dg.MetadataValue.md(logic),
        },
    )


def _reads(keys: Keys, table: DerivedTable) -> Iterator[dg.AssetDep]:
    """Yield what an hour depends on, and which hours of it."""
    for read in table.reads:
        if read.table == EVENTS:
            yield dg.AssetDep(keys.events)
        # A backfill would wait for ever for the hour before an hour that has none.
        if read.table in (EVENTS, table.name):
            continue
        mapping = dg.TimeWindowPartitionMapping(
            start_offset=1 - read.hours - read.back,
            end_offset=-read.back,
            allow_nonexistent_upstream_partitions=True,
        )
        yield dg.AssetDep(keys.source(read.table), partition_mapping=mapping)
