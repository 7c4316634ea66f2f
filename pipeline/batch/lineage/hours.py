"""The building of an hour as OpenLineage run events: pure functions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import DatasetFacet, JobFacet, source_code_job, sql_job
from pyiceberg.schema import Schema

from pipeline.batch.context import RangeContext
from pipeline.batch.model import Verdict
from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.lineage.sources import derived_sources
from pipeline.contract.model import EVENTS, DerivedTable, Product, published_table
from pipeline.control.publications import Publication
from pipeline.lineage.datasets import owned_by, reference_input, table_input, table_output
from pipeline.lineage.facets.assertions import (
    assertions_facet,
    assertions_of,
    dataset_metrics,
    null_counts,
)
from pipeline.lineage.facets.columns import column_lineage
from pipeline.lineage.facets.common import PRODUCER, run_uuid
from pipeline.lineage.facets.fields import table_fields
from pipeline.lineage.jobs import table_job
from pipeline.lineage.runs import SPARK, ParentRun, run_of
from pipeline.lineage.told import Ending
from pipeline.tables.layout import events_table, product_table


def hour_started(context: RangeContext, hour: datetime, at: datetime) -> RunEvent:
    """Return the start of one hour's build; the run's id is that of the same hour's other events."""
    return _event(
        RunState.START,
        context,
        at,
        _hour_run(context, hour),
        table_inputs(
            context.cell, context.product, context.derived_table, context.source_snapshot_id
        ),
        table_outputs(context.cell, context.product, context.derived_table),
    )


def hour_completed(
    context: RangeContext,
    publication: Publication,
    schema: Schema | None,
    verdict: Verdict | None = None,
) -> RunEvent:
    """Return the publishing of one hour.

    `schema` is that of the published table; `verdict` the audit's, None where there was none.
    """
    facets: dict[str, Any] = {} if schema is None else {"schema": table_fields(schema)}
    if verdict is not None:
        facets |= _quality(verdict, publication.rows)
    return _event(
        RunState.COMPLETE,
        context,
        publication.published_at,
        _hour_run(context, publication.hour),
        table_inputs(
            context.cell, context.product, context.derived_table, publication.source_snapshot_id
        ),
        table_outputs(
            context.cell,
            context.product,
            context.derived_table,
            publication.published_snapshot_id,
            publication.rows,
            facets,
        ),
    )


def hour_ended(
    context: RangeContext,
    hour: datetime,
    at: datetime,
    how: Ending,
    verdict: Verdict | None = None,
) -> RunEvent:
    """Return the end of one hour's build that published nothing: main is as it was."""
    facets: dict[str, Any] = {} if verdict is None else _quality(verdict, None)
    return _event(
        how.state,
        context,
        at,
        _hour_run(context, hour, how.why),
        [],
        table_outputs(context.cell, context.product, context.derived_table, facets=facets),
    )


def hour_run(context: RangeContext, hour: datetime) -> ParentRun:
    """Return an hour's build as the parent of its audit."""
    job, run = _hour_job(context), _hour_run_id(context, hour)
    if context.parent is None:
        return ParentRun(run, job.name, job.namespace)
    return context.parent.child(run, job.name, job.namespace)


def table_inputs(
    cell: Cell, product: Product, table: DerivedTable, source_snapshot_id: int | None
) -> list[InputDataset]:
    """Return all that a derived table is computed from."""
    references = [one for one in product.references if one.name in table.references]
    return [
        *(
            table_input(cell, events_table(product.name), source_snapshot_id)
            if read.table == EVENTS
            else table_input(cell, product_table(product.name, read.table), None)
            for read in table.reads
        ),
        *(reference_input(product, one) for one in references),
    ]


def table_outputs(
    cell: Cell,
    product: Product,
    table: DerivedTable,
    snapshot_id: int | None = None,
    rows: int | None = None,
    facets: dict[str, DatasetFacet] | None = None,
) -> list[OutputDataset]:
    """Return the table that hours are published in; of a feature table its history, and the table itself."""
    columns = column_lineage(cell, product, derived_sources(table))
    common = {**owned_by(table.owner), **columns}
    published, served = published_table(product, table), product_table(product.name, table.name)
    found = [table_output(cell, published, snapshot_id, rows, {**common, **(facets or {})})]
    if served != published:
        found.append(table_output(cell, served, facets=common))
    return found


def _event(
    state: RunState,
    context: RangeContext,
    at: datetime,
    run: Run,
    inputs: Sequence[InputDataset],
    outputs: Sequence[OutputDataset],
) -> RunEvent:
    return RunEvent(
        eventTime=at.isoformat(),
        producer=PRODUCER,
        eventType=state,
        run=run,
        job=_hour_job(context),
        inputs=list(inputs),
        outputs=list(outputs),
    )


def _quality(verdict: Verdict, rows: int | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "dataQualityAssertions": assertions_facet(assertions_of(verdict.results))
    }
    if rows is not None:
        found["dataQualityMetrics"] = dataset_metrics(rows, null_counts(verdict.results))
    return found


def _hour_run(context: RangeContext, hour: datetime, why: str | None = None) -> Run:
    return run_of(
        _hour_run_id(context, hour),
        SPARK,
        parent=context.parent,
        nominal=(hour, hour + HOUR),
        why=why,
    )


def _hour_run_id(context: RangeContext, hour: datetime) -> str:
    names = (context.cell.name, context.product.name, context.derived_table.name)
    return run_uuid(*names, hour.isoformat(), context.run_id)


def _hour_job(context: RangeContext) -> Job:
    logic = context.derived_table.logic
    facets: dict[str, JobFacet] = (
        {"sql": sql_job.SQLJobFacet(query=logic.text, dialect="spark")}
        if logic.language == "sql"
        else {
            "sourceCode": source_code_job.SourceCodeJobFacet(
                language="python", sourceCode=logic.text
            )
        }
    )
    return table_job(context.cell, context.product, context.derived_table, facets=facets)


def tables_of(product: Product, names: Collection[str]) -> list[DerivedTable]:
    """Return those of a product's derived tables that `names` has, in the product's order."""
    return [one for one in product.derived_tables if one.name in names]
