"""The hourly run: builds a range of hours of a product's derived tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import dagster as dg
from pyiceberg.table import Table
from pyspark.sql import SparkSession

from assets.dagster_private.event_batches import log_materializations
from assets.keys import HOURS_TAG, Keys
from assets.partitions import to_hour
from assets.steps.hour_results import AboutTable, PublishedHour, audit_result, hours_published
from assets.steps.lineage_results import hours_lineage_results
from assets.steps.parent_run import parent_run
from pipeline.batch.execute import MissingInput, execute
from pipeline.batch.planning.plan import plan_hours
from pipeline.batch.planning.read_inputs import read_plan_inputs
from pipeline.batch.progress import ProgressReporter
from pipeline.batch.wap.tags import SERVED
from pipeline.cells import Cell
from pipeline.contract.model import Product, published_table
from pipeline.control.publications import Publication
from pipeline.errors import HeadwaterError
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import product_table
from pipeline.tables.snapshots import snapshot_facts
from quality.auditor import RunAuditor
from quality.column_lineage import publish_column_lineage
from quality.lineage.publish import find_page, publish_page

DETAILED = 150
"""Of a run of more builds Dagster's log does not say which hours each was computed from: 10 KB a build."""


def materialize_hours(
    context: dg.AssetExecutionContext,
    spark: SparkSession,
    cell: Cell,
    keys: Keys,
    code_versions: Mapping[str, str],
) -> Iterator[dg.AssetCheckResult]:
    """Build the run's hours, logging a materialization of each as its range is published; yield the audits.

    Raises: as `read_plan_inputs` and `plan_hours` (no hour is closed, the ledger does not balance); after
        everything else, the first error that a build ended with, or that some hours are open.
    """
    product = keys.product
    tables = {
        one.name: one
        for one in product.derived_tables
        if keys.derived_table(one) in context.selected_asset_keys
    }
    # What a sensor asks for is what was due; what a person asks for is meant.
    hours = [to_hour(key) for key in context.partition_keys]
    plan = plan_hours(
        product,
        read_plan_inputs(cell, product, hours=hours),
        hours=hours,
        derived_tables=list(tables),
        again=HOURS_TAG not in context.run.tags,
    )

    auditor = RunAuditor(cell, product.name, context.run.run_id, plan.builds)
    detailed = len(plan.builds) <= DETAILED
    page = find_page(cell, product.name) or publish_page(cell, product, with_cell=False)
    drawn = {name: publish_column_lineage(cell, product, name) for name in tables}
    failed: HeadwaterError | None = None
    published: list[PublishedHour] = []
    reporter = ProgressReporter(len(plan.builds), context.log.info)
    for done in execute(
        spark,
        cell,
        product,
        plan,
        auditor,
        run_id=context.run.run_id,
        parent=parent_run(context),
    ):
        name, hour, outcome = done.build.derived_table, done.build.hour, done.outcome
        what = f"{name} {hour:%Y-%m-%dT%H}"
        auditor.publish(name, hour)
        if isinstance(outcome, Publication):
            published.append(PublishedHour(outcome, done.provenance))
        elif isinstance(outcome, MissingInput):
            context.log.warning(f"{what} waits for {outcome.table} {outcome.hour:%Y-%m-%dT%H}.")
        elif isinstance(outcome, HeadwaterError):
            context.log.error(f"{what}: {outcome}")
            failed = failed or outcome
        else:
            context.log.error(f"The audit of {what} failed; not published.")
        if done.ends_range and published:
            about = AboutTable(
                tables[name], code_versions[name], drawn[name], page=page, detailed=detailed
            )
            about = _with_snapshots(about, cell, product, published)
            pages = auditor.audits(name).pages
            log_materializations(context, list(hours_published(keys, about, published, pages)))
            published.clear()
        reporter.one_done()
    auditor.finish()
    publish_page(cell, product)
    for name, table in tables.items():
        yield audit_result(keys, table, auditor.audits(name))
    yield from hours_lineage_results(keys, cell, product, hours, list(tables))
    if (error := failed or plan.refusal) is not None:
        raise error


def _with_snapshots(
    about: AboutTable, cell: Cell, product: Product, published: Sequence[PublishedHour]
) -> AboutTable:
    """Return what the tables say, too, each loaded once for all hours of a range."""
    derived_table = about.derived_table
    readers = _load(cell, product_table(product.name, derived_table.name))
    of_hours = (
        readers
        if derived_table.feature is None
        else _load(cell, published_table(product, derived_table))
    )
    ids = {one.publication.published_snapshot_id for one in published}
    facts = () if of_hours is None else (snapshot_facts(of_hours, one) for one in ids)
    return replace(
        about,
        schema=None if readers is None else readers.schema().as_arrow(),
        snapshots={one.snapshot_id: one for one in facts if one is not None},
        served_snapshot_id=None if readers is None else _served(readers),
    )


def _load(cell: Cell, table: str) -> Table | None:
    try:
        return load_table(cell, table)
    except TableMissingError:
        # No hour of it has had a row.
        return None


def _served(table: Table) -> int | None:
    tag = table.metadata.refs.get(SERVED)
    return None if tag is None else tag.snapshot_id
