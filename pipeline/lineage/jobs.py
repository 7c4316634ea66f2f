"""Jobs as OpenLineage names them: `<product>.<what it does>` in the cell's namespace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openlineage.client.event_v2 import Job
from openlineage.client.facet_v2 import JobFacet, documentation_job, ownership_job

from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Product
from pipeline.lineage.facets.common import job_type
from pipeline.lineage.facets.custom import CONTRACT, ContractJobFacet
from pipeline.lineage.facets.source_code import source_location

STREAMING, BATCH = "STREAMING", "BATCH"


def product_job(
    cell: Cell, product: Product, name: str, description: str, processing: str = BATCH
) -> Job:
    """Return the job of a product that does what `name` says."""
    facets = _facets(
        product.owner, product.name, product.version, product.folder, description, processing
    )
    return Job(namespace=cell.name, name=f"{product.name}.{name}", facets=facets)


def table_job(
    cell: Cell,
    product: Product,
    table: DerivedTable,
    part: str = "",
    facets: Mapping[str, JobFacet] | None = None,
) -> Job:
    """Return the job that builds hours of a derived table, or the `part` of it."""
    own = _facets(table.owner, table.name, table.version, table.folder, table.description, BATCH)
    name = ".".join(filter(None, (product.name, table.name, part)))
    return Job(namespace=cell.name, name=name, facets={**own, **(facets or {})})


def _facets(
    owner: str, contract: str, version: str, folder: Path, description: str, processing: str
) -> dict[str, JobFacet]:
    return {
        **job_type(processing),
        **source_location(folder),
        "documentation": documentation_job.DocumentationJobFacet(description=description),
        "ownership": ownership_job.OwnershipJobFacet(
            owners=[ownership_job.Owner(name=owner, type="OWNER")]
        ),
        CONTRACT: ContractJobFacet(product=contract, version=version),
    }
