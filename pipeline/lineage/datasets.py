"""Datasets as OpenLineage names them: topics by their cluster, tables by their cell's warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    dataset_version_dataset,
    input_statistics_input_dataset,
    lineage,
    output_statistics_output_dataset,
    ownership_dataset,
    storage_dataset,
)

from pipeline.cells import Cell
from pipeline.contract.model import Product, Reference
from pipeline.lineage.facets.fields import named_fields

Facets = Mapping[str, DatasetFacet]


def kafka_namespace(cell: Cell) -> str:
    """Return the namespace of the cell's topics."""
    first_server = cell.bootstrap_servers.split(",")[0]
    return f"kafka://{first_server}"


def reference_name(product: Product, reference: Reference) -> tuple[str, str]:
    """Return namespace and name of reference data: of a file in the contract's folder, or of a package."""
    scheme, _, rest = reference.source.partition(":")
    return (scheme, rest) if scheme == "package" else (scheme, f"{product.name}/{rest}")


def topic_input(
    cell: Cell,
    topic: str,
    topic_id: str | None,
    records: int | None = None,
    facets: Facets | None = None,
    input_facets: Mapping[str, InputDatasetFacet] | None = None,
) -> InputDataset:
    """Return a topic that was read; its version is its Kafka id, None where it was never seen."""
    return InputDataset(
        namespace=kafka_namespace(cell),
        name=topic,
        facets={**({} if topic_id is None else version(topic_id)), **(facets or {})},
        inputFacets={**_records(records), **(input_facets or {})},
    )


def topic_output(cell: Cell, topic: str, topic_id: str | None, records: int) -> OutputDataset:
    """Return a topic that was written to."""
    return OutputDataset(
        namespace=kafka_namespace(cell),
        name=topic,
        facets={} if topic_id is None else version(topic_id),
        outputFacets=_rows(records),
    )


def reference_input(product: Product, reference: Reference) -> InputDataset:
    """Return reference data that was read."""
    namespace, name = reference_name(product, reference)
    # Where derived tables alone read it, the contract does not say what columns it has.
    known = (*reference.on, *reference.columns) if reference.columns else ()
    facets = {"schema": named_fields(known)} if known else {}
    return InputDataset(namespace=namespace, name=name, facets=facets)


def table_input(
    cell: Cell,
    identifier: str,
    snapshot_id: int | None,
    rows: int | None = None,
    input_facets: Mapping[str, InputDatasetFacet] | None = None,
) -> InputDataset:
    """Return a table that was read as of a snapshot; None: as main had it."""
    return InputDataset(
        namespace=cell.warehouse,
        name=identifier,
        facets={} if snapshot_id is None else version(str(snapshot_id)),
        inputFacets={**_records(rows), **(input_facets or {})},
    )


def table_output(
    cell: Cell,
    identifier: str,
    snapshot_id: int | None = None,
    rows: int | None = None,
    facets: Facets | None = None,
    output_facets: Mapping[str, OutputDatasetFacet] | None = None,
) -> OutputDataset:
    """Return a table that was written; what is not known is left out."""
    return OutputDataset(
        namespace=cell.warehouse,
        name=identifier,
        facets={
            "storage": storage_dataset.StorageDatasetFacet(
                storageLayer="iceberg", fileFormat="parquet"
            ),
            **({} if snapshot_id is None else version(str(snapshot_id))),
            **(facets or {}),
        },
        outputFacets={**_rows(rows), **(output_facets or {})},
    )


def version(text: str) -> dict[str, DatasetFacet]:
    """Return the facet `version`: an Iceberg snapshot's id, or a topic's."""
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=text)}


def made_from(inputs: Iterable[InputDataset]) -> dict[str, DatasetFacet]:
    """Return the facet `lineage`: which of its run's inputs a dataset is made from."""
    return {
        "lineage": lineage.LineageDatasetFacet(
            inputs=[
                lineage.LineageDatasetInput(namespace=one.namespace, name=one.name, type="DATASET")
                for one in inputs
            ]
        )
    }


def owned_by(owner: str) -> dict[str, DatasetFacet]:
    """Return the facet `ownership`, with the contract's owner."""
    return {
        "ownership": ownership_dataset.OwnershipDatasetFacet(
            owners=[ownership_dataset.Owner(name=owner, type="OWNER")]
        )
    }


def _rows(count: int | None) -> dict[str, OutputDatasetFacet]:
    if count is None:
        return {}
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=count)
    return {"outputStatistics": statistics}


def _records(count: int | None) -> dict[str, InputDatasetFacet]:
    if count is None:
        return {}
    statistics = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=count)
    return {"inputStatistics": statistics}
