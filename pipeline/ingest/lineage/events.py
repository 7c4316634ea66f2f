"""An ingest session as OpenLineage run events: pure functions."""

from __future__ import annotations

from datetime import datetime

from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from pyiceberg.schema import Schema

from pipeline.cells import Cell
from pipeline.contract.lineage.sources import events_sources
from pipeline.contract.model import Product
from pipeline.lineage.columns import column_lineage
from pipeline.lineage.datasets import table_output, topic_input
from pipeline.lineage.facets import PRODUCER, error, job_type, run_uuid
from pipeline.tables.layout import dead_letters_table, events_table


def ingest_event(
    state: RunState,
    cell: Cell,
    product: Product,
    run_id: str,
    at: datetime,
    *,
    topic_id: str | None,
    records: int | None = None,
    snapshot_id: int | None = None,
    rows: int | None = None,
    dead_letters: int | None = None,
    schema: Schema | None = None,
    why: str | None = None,
) -> RunEvent:
    """Return an event of an ingest session; counts are of the session so far.

    `snapshot_id` and `schema` are those of the events table after the last commit; `why` says what
    ended a session that failed.
    """
    return RunEvent(
        eventTime=at.isoformat(),
        producer=PRODUCER,
        eventType=state,
        run=Run(runId=run_uuid(cell.name, product.name, "ingest", run_id), facets=error(why)),
        job=Job(
            namespace=cell.name,
            name=f"{product.name}.ingest",
            facets=job_type("STREAMING"),
        ),
        inputs=[topic_input(cell, product.topic.name, topic_id, records)],
        outputs=[
            table_output(
                cell,
                events_table(product.name),
                schema,
                snapshot_id,
                rows,
                column_lineage(cell, product, events_sources(product)),
            ),
            table_output(cell, dead_letters_table(product.name), rows=dead_letters),
        ],
    )
