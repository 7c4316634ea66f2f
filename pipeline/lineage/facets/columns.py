"""Columns' sources as OpenLineage states them."""

from __future__ import annotations

from openlineage.client.facet_v2 import DatasetFacet, column_lineage_dataset

from pipeline.cells import Cell
from pipeline.contract.lineage.sources import TOPIC, SourceColumn, Sources
from pipeline.contract.model import Product
from pipeline.lineage.datasets import kafka_namespace, reference_name


def column_lineage(cell: Cell, product: Product, sources: Sources) -> dict[str, DatasetFacet]:
    """Return the facet `columnLineage` of a table whose columns have `sources`."""
    return {
        "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(
            fields={
                column: column_lineage_dataset.Fields(
                    inputFields=[_input(cell, product, source) for source in made_from]
                )
                for column, made_from in sources.items()
            }
        )
    }


def _input(cell: Cell, product: Product, source: SourceColumn) -> column_lineage_dataset.InputField:
    references = {reference.name: reference for reference in product.references}
    if source.table == TOPIC:
        namespace, name = kafka_namespace(cell), product.topic.name
    elif source.table in references:
        namespace, name = reference_name(product, references[source.table])
    else:
        namespace, name = cell.warehouse, f"{product.name}.{source.table}"
    return column_lineage_dataset.InputField(namespace=namespace, name=name, field=source.column)
