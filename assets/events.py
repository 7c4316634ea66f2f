"""Events and dead letters: one long run that ingests both."""

from collections.abc import Iterator

import dagster as dg

from assets.columns import column_lineage, column_origins, table_schema
from assets.keys import LEDGER_CHECK, LINEAGE_CHECK, Keys
from pipeline.code_version import code_version
from pipeline.contract.lineage.sources import events_sources
from pipeline.contract.model import EVENTS
from pipeline.contract.targets.iceberg import events_schema
from pipeline.supervision.locks import hold_lock, ingest_lock
from pipeline.tables.layout import DEAD_LETTER_SCHEMA, dead_letters_table, events_table
from resources.cell import CellResource


def events(keys: Keys) -> dg.AssetsDefinition:
    """Return the assets `events` and `dead_letters` of a product, and the checks on events.

    A run lasts until `pipeline.supervision.lifetime` ends it, or it is terminated; either way it ends at
    a commit boundary. It logs a materialization of both at most once a minute.

    Runs fail with `LockHeldError` while another run of the product is at work in the cell.
    """
    product = keys.product
    version = code_version(product.folder)
    sources = events_sources(product)
    specs = [
        dg.AssetSpec(
            keys.events,
            deps=[keys.topic, *(keys.reference(r) for r in product.references)],
            description=f"Every event once. {product.description}",
            metadata={
                "dagster/column_schema": table_schema(events_schema(product), product.columns),
                "dagster/column_lineage": column_lineage(keys, sources),
                "columns": column_origins(keys, EVENTS, sources),
                "dagster/table_name": f"{keys.cell}.{events_table(product.name)}",
            },
            skippable=True,
            group_name=keys.group,
            kinds={"iceberg", "python"},
            owners=keys.owners,
            tags=keys.asset_tags,
            code_version=version,
        ),
        dg.AssetSpec(
            keys.dead_letters,
            deps=[keys.topic],
            description="Records that cannot be events: original bytes, coordinates and reason.",
            metadata={
                "dagster/column_schema": table_schema(DEAD_LETTER_SCHEMA, ()),
                "dagster/table_name": f"{keys.cell}.{dead_letters_table(product.name)}",
            },
            skippable=True,
            group_name=keys.group,
            kinds={"iceberg", "python"},
            owners=keys.owners,
            tags=keys.asset_tags,
            code_version=version,
        ),
    ]

    @dg.multi_asset(
        name=keys.name("events"),
        specs=specs,
        check_specs=[
            dg.AssetCheckSpec(
                LEDGER_CHECK,
                asset=keys.events,
                description="Every committed offset is a row, a duplicate, a dead letter or a gap.",
                blocking=True,
            ),
            dg.AssetCheckSpec(
                LINEAGE_CHECK,
                asset=keys.events,
                description="Every row came by a commit that the ledger tells of; no hour is published else.",
                blocking=True,
            ),
        ],
    )
    def ingest(
        context: dg.AssetExecutionContext, cell: CellResource
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.AssetCheckResult]:
        where = cell.load()
        # First of all: a run without its lock is soon taken for dead.
        with hold_lock(ingest_lock(where, product.name), context.run_id):
            from assets.steps.ingest import ingest_events

            yield from ingest_events(context, where, keys, version)

    return ingest
