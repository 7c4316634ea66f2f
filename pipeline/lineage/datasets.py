"""Datasets as OpenLineage names them: topics by their cluster, tables by their cell's warehouse."""

from __future__ import annotations

from collections.abc import Mapping

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    dataset_version_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
)
from pyiceberg.schema import Schema

from pipeline.cells import Cell


def kafka_namespace(cell: Cell) -> str:
    """Return the namespace of the cell's topics."""
    first_server = cell.bootstrap_servers.split(",")[0]
    return f"kafka://{first_server}"


def topic_input(
    cell: Cell, topic: str, topic_id: str | None, records: int | None = None
) -> InputDataset:
    """Return a topic that was read; its version is its Kafka id, None where it was never seen."""
    return InputDataset(
        namespace=kafka_namespace(cell),
        name=topic,
        facets={} if topic_id is None else {"version": _version(topic_id)},
        inputFacets=_records(records),
    )


def table_input(
    cell: Cell, identifier: str, snapshot_id: int | None, rows: int | None = None
) -> InputDataset:
    """Return a table that was read as of a snapshot; None: as main had it."""
    return InputDataset(
        namespace=cell.warehouse,
        name=identifier,
        facets={} if snapshot_id is None else {"version": _version(str(snapshot_id))},
        inputFacets=_records(rows),
    )


def table_output(
    cell: Cell,
    identifier: str,
    schema: Schema | None = None,
    snapshot_id: int | None = None,
    rows: int | None = None,
    columns: Mapping[str, DatasetFacet] | None = None,
) -> OutputDataset:
    """Return a table that was written; what is not known is left out. `columns` is their lineage."""
    facets: dict[str, DatasetFacet] = dict(columns or {})
    if snapshot_id is not None:
        facets["version"] = _version(str(snapshot_id))
    if schema is not None:
        facets["schema"] = schema_dataset.SchemaDatasetFacet(
            fields=[
                schema_dataset.SchemaDatasetFacetFields(
                    name=field.name, type=str(field.field_type), description=field.doc
                )
                for field in schema.fields
            ]
        )
    written: dict[str, OutputDatasetFacet] = {}
    if rows is not None:
        written["outputStatistics"] = (
            output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
        )
    return OutputDataset(
        namespace=cell.warehouse, name=identifier, facets=facets, outputFacets=written
    )


def _version(text: str) -> DatasetFacet:
    return dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=text)


def _records(count: int | None) -> dict[str, InputDatasetFacet]:
    if count is None:
        return {}
    return {
        "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=count
        )
    }
