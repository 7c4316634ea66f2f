"""The building of an hour as OpenLineage run events: pure functions."""

from __future__ import annotations

from datetime import datetime

from openlineage.client.event_v2 import InputDataset, Job, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    nominal_time_run,
    source_code_job,
    sql_job,
)
from pyiceberg.schema import Schema

from pipeline.batch.context import RangeContext
from pipeline.clock import HOUR
from pipeline.contract.lineage.sources import derived_sources
from pipeline.contract.model import EVENTS
from pipeline.control.publications import Publication
from pipeline.lineage.columns import column_lineage
from pipeline.lineage.datasets import table_input, table_output
from pipeline.lineage.facets import PRODUCER, error, job_type, run_uuid
from pipeline.tables.layout import events_table, product_table


def hour_started(context: RangeContext, hour: datetime, at: datetime) -> RunEvent:
    """Return the start of one hour's build; the run's id is that of the same hour's other events."""
    return RunEvent(
        eventTime=at.isoformat(),
        producer=PRODUCER,
        eventType=RunState.START,
        run=_hour_run(context, hour),
        job=_hour_job(context),
        inputs=_inputs(context, context.source_snapshot_id),
        outputs=[table_output(context.cell, context.table)],
    )


def hour_completed(
    context: RangeContext, publication: Publication, schema: Schema | None
) -> RunEvent:
    """Return the publishing of one hour. `schema` is that of the published table."""
    columns = derived_sources(context.derived_table)
    return RunEvent(
        eventTime=publication.published_at.isoformat(),
        producer=PRODUCER,
        eventType=RunState.COMPLETE,
        run=_hour_run(context, publication.hour),
        job=_hour_job(context),
        inputs=_inputs(context, publication.source_snapshot_id),
        outputs=[
            table_output(
                context.cell,
                publication.table,
                schema,
                publication.published_snapshot_id,
                publication.rows,
                column_lineage(context.cell, context.product, columns),
            )
        ],
    )


def hour_failed(context: RangeContext, hour: datetime, at: datetime, reason: str) -> RunEvent:
    """Return the failure of one hour's build: main is as it was."""
    return RunEvent(
        eventTime=at.isoformat(),
        producer=PRODUCER,
        eventType=RunState.FAIL,
        run=_hour_run(context, hour, reason),
        job=_hour_job(context),
        outputs=[table_output(context.cell, context.table)],
    )


def _inputs(context: RangeContext, source_snapshot_id: int) -> list[InputDataset]:
    product = context.product.name
    return [
        table_input(context.cell, events_table(product), source_snapshot_id)
        if read.table == EVENTS
        else table_input(context.cell, product_table(product, read.table), None)
        for read in context.derived_table.reads
    ]


def _hour_run(context: RangeContext, hour: datetime, reason: str | None = None) -> Run:
    start, end = hour.isoformat(), (hour + HOUR).isoformat()
    nominal: dict[str, RunFacet] = {
        "nominalTime": nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=start, nominalEndTime=end
        )
    }
    names = (context.cell.name, context.product.name, context.derived_table.name)
    return Run(runId=run_uuid(*names, start, context.run_id), facets=nominal | error(reason))


def _hour_job(context: RangeContext) -> Job:
    derived_table = context.derived_table
    logic: dict[str, JobFacet] = (
        {"sql": sql_job.SQLJobFacet(query=derived_table.logic.text, dialect="spark")}
        if derived_table.logic.language == "sql"
        else {
            "sourceCode": source_code_job.SourceCodeJobFacet(
                language="python", sourceCode=derived_table.logic.text
            )
        }
    )
    return Job(
        namespace=context.cell.name,
        name=f"{context.product.name}.{derived_table.name}",
        facets=logic | job_type("BATCH"),
    )
