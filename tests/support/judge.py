"""The independent verifier, asked about a cell's product."""

from __future__ import annotations

from pipeline.cells import Cell
from pipeline.contract.model import Product
from tests.support.catalogs import properties_for_pyiceberg
from tests.support.topic_reader import Holes, count_holes
from tests.support.verifier import Findings, verify_exactly_once


def judge(cell: Cell, product: Product) -> Findings:
    """Return what the independent verifier finds of `product` in `cell`."""
    return verify_exactly_once(
        bootstrap_servers=cell.bootstrap_servers,
        topic=product.topic.name,
        catalog_name=cell.name,
        catalog=properties_for_pyiceberg(cell),
        namespace=product.name,
        envelope=product.envelope_schema,
    )


def holes(cell: Cell, product: Product) -> Holes:
    """Return what the independent verifier finds of offsets that no consumer is given a record of."""
    return count_holes(cell.bootstrap_servers, product.topic.name)
