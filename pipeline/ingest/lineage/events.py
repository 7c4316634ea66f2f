"""An ingest session as OpenLineage run events: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from openlineage.client.event_v2 import InputDataset, OutputDataset, RunEvent, RunState

from pipeline.cells import Cell
from pipeline.contract.lineage.sources import events_sources
from pipeline.contract.model import Product
from pipeline.contract.targets.rules import CompiledRule
from pipeline.ingest.report import IngestReport
from pipeline.ledger.model import Entry
from pipeline.lineage.datasets import (
    Facets,
    made_from,
    owned_by,
    reference_input,
    table_output,
    topic_input,
)
from pipeline.lineage.facets.assertions import (
    assertions_facet,
    dataset_metrics,
    input_metrics,
    rules_as_assertions,
)
from pipeline.lineage.facets.columns import column_lineage
from pipeline.lineage.facets.common import PRODUCER, run_uuid
from pipeline.lineage.facets.custom import (
    GATES,
    KAFKA_OFFSETS,
    GatesOutputDatasetFacet,
    KafkaOffsetsInputDatasetFacet,
    PartitionOffsets,
)
from pipeline.lineage.facets.fields import table_fields, topic_fields
from pipeline.lineage.jobs import STREAMING, product_job
from pipeline.lineage.runs import HEADWATER, ParentRun, run_of
from pipeline.tables.layout import DEAD_LETTER_SCHEMA, dead_letters_table, events_table


@dataclass(frozen=True)
class SoFar:
    """What a session has done by now.

    Attributes:
        topic_id: None where the topic was never seen.
        report: sums over its commits; the snapshot is that of events after the last one.
        entries: the offsets that it has committed, one entry a partition.
        schema: that of events; None where it is not known.
        rules: the contract's business rules.
    """

    topic_id: str | None
    report: IngestReport
    entries: Sequence[Entry] = ()
    schema: pa.Schema | None = None
    rules: Sequence[CompiledRule] = ()


def ingest_event(
    state: RunState,
    cell: Cell,
    product: Product,
    run_id: str,
    at: datetime,
    so_far: SoFar,
    *,
    parent: ParentRun | None = None,
    why: str | None = None,
) -> RunEvent:
    """Return an event of an ingest session; `why` says what ended one that failed.

    What it has done is said from its first commit on.
    """
    topic = _topic(cell, product, so_far)
    references = [reference_input(product, one) for one in product.references]
    return RunEvent(
        eventTime=at.isoformat(),
        producer=PRODUCER,
        eventType=state,
        run=run_of(
            run_uuid(cell.name, product.name, "ingest", run_id), HEADWATER, parent=parent, why=why
        ),
        job=product_job(cell, product, "ingest", product.description, STREAMING),
        inputs=[topic, *references],
        outputs=[
            _events(cell, product, so_far, made_from([topic, *references])),
            _dead_letters(cell, product, so_far, made_from([topic])),
        ],
    )


def _topic(cell: Cell, product: Product, so_far: SoFar) -> InputDataset:
    records, found = _records(so_far.report), dict[str, Any]()
    if records is not None:
        found["dataQualityMetrics"] = input_metrics(records, {})
        found[KAFKA_OFFSETS] = KafkaOffsetsInputDatasetFacet(
            topic=product.topic.name,
            topicId=so_far.topic_id,
            partitions=[
                PartitionOffsets(one.partition, one.start, one.end) for one in so_far.entries
            ],
        )
    return topic_input(
        cell,
        product.topic.name,
        so_far.topic_id,
        records,
        {"schema": topic_fields(product.payload_schema), **owned_by(product.owner)},
        found,
    )


def _events(cell: Cell, product: Product, so_far: SoFar, sources: Facets) -> OutputDataset:
    report = so_far.report
    facets: dict[str, Any] = {
        **sources,
        **owned_by(product.owner),
        **column_lineage(cell, product, events_sources(product)),
    }
    if so_far.schema is not None:
        facets["schema"] = table_fields(so_far.schema)
    if not report.commits:
        return table_output(cell, events_table(product.name), facets=facets)
    rules = rules_as_assertions(so_far.rules, report.rules)
    facets["dataQualityMetrics"] = dataset_metrics(report.rows, {})
    if rules:
        facets["dataQualityAssertions"] = assertions_facet(rules)
    return table_output(
        cell,
        events_table(product.name),
        report.snapshot_id,
        report.rows,
        facets,
        {
            GATES: GatesOutputDatasetFacet(
                rows=report.rows,
                duplicates=report.duplicates,
                deadLetters=report.dead_letters,
                gaps=report.gaps,
                late=report.late,
                invalid=report.invalid,
                outOfOrder=report.out_of_order,
                deadLettersByReason=dict(report.reasons),
                invalidByRule=dict(report.rules),
            )
        },
    )


def _dead_letters(cell: Cell, product: Product, so_far: SoFar, sources: Facets) -> OutputDataset:
    rows = so_far.report.dead_letters if so_far.report.commits else None
    schema = {"schema": table_fields(DEAD_LETTER_SCHEMA)}
    facets = {**sources, **schema, **owned_by(product.owner)}
    return table_output(cell, dead_letters_table(product.name), None, rows, facets)


def _records(report: IngestReport) -> int | None:
    return report.offsets - report.gaps if report.commits else None
