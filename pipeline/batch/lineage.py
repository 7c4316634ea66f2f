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

from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.contract.lineage.sources import derived_sources
from pipeline.contract.model import EVENTS, DerivedTable, Product, published_table
from pipeline.control.publications import Publication
from pipeline.lineage.columns import column_lineage
from pipeline.lineage.datasets import table_input, table_output
from pipeline.lineage.facets import PRODUCER, error, job_type, run_uuid
from pipeline.tables.layout import events_table, product_table


def hour_started(
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    hour: datetime,
    source_snapshot_id: int,
    run_id: str,
    at: datetime,
) -> RunEvent:
    """Return the start of one hour's build; the run's id is that of the same hour's other events."""
    return RunEvent(
        eventTime=at.isoformat(),
        producer=PRODUCER,
        eventType=RunState.START,
        run=_hour_run(cell, product, derived_table, hour, run_id),
        job=_hour_job(cell, product, derived_table),
        inputs=_inputs(cell, product, derived_table, source_snapshot_id),
        outputs=[table_output(cell, published_table(product, derived_table))],
    )


def hour_completed(
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    publication: Publication,
    schema: Schema | None,
    run_id: str,
) -> RunEvent:
    """Return the publishing of one hour. `schema` is that of the published table."""
    return RunEvent(
        eventTime=publication.published_at.isoformat(),
        producer=PRODUCER,
        eventType=RunState.COMPLETE,
        run=_hour_run(cell, product, derived_table, publication.hour, run_id),
        job=_hour_job(cell, product, derived_table),
        inputs=_inputs(cell, product, derived_table, publication.source_snapshot_id),
        outputs=[
            table_output(
                cell,
                publication.table,
                schema,
                publication.published_snapshot_id,
                publication.rows,
                column_lineage(cell, product, derived_sources(derived_table)),
            )
        ],
    )


def hour_failed(
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    hour: datetime,
    run_id: str,
    at: datetime,
    why: str,
) -> RunEvent:
    """Return the failure of one hour's build: main is as it was."""
    return RunEvent(
        eventTime=at.isoformat(),
        producer=PRODUCER,
        eventType=RunState.FAIL,
        run=_hour_run(cell, product, derived_table, hour, run_id, why),
        job=_hour_job(cell, product, derived_table),
        outputs=[table_output(cell, published_table(product, derived_table))],
    )


def _inputs(
    cell: Cell, product: Product, derived_table: DerivedTable, source_snapshot_id: int
) -> list[InputDataset]:
    return [
        table_input(cell, events_table(product.name), source_snapshot_id)
        if read.table == EVENTS
        else table_input(cell, product_table(product.name, read.table), None)
        for read in derived_table.reads
    ]


def _hour_run(
    cell: Cell,
    product: Product,
    derived_table: DerivedTable,
    hour: datetime,
    run_id: str,
    why: str | None = None,
) -> Run:
    nominal: dict[str, RunFacet] = {
        "nominalTime": nominal_time_run.NominalTimeRunFacet(
            nominalStartTime=hour.isoformat(), nominalEndTime=(hour + HOUR).isoformat()
        )
    }
    return Run(
        runId=run_uuid(cell.name, product.name, derived_table.name, hour.isoformat(), run_id),
        facets=nominal | error(why),
    )


def _hour_job(cell: Cell, product: Product, derived_table: DerivedTable) -> Job:
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
        namespace=cell.name,
        name=f"{product.name}.{derived_table.name}",
        facets=logic | job_type("BATCH"),
    )
