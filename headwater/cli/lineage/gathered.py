"""What is told of one product's lineage."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.cells import Cell
from pipeline.contract.lineage.graph import LineageGraph, lineage_graph
from pipeline.contract.model import Product
from quality.lineage.facts import CellFacts, look


@dataclass(frozen=True)
class Gathered:
    """A product, its graph, and what a cell has of it; None where no cell was looked at."""

    product: Product
    graph: LineageGraph
    facts: CellFacts | None


def gather(product: Product, cell: Cell | None) -> Gathered:
    """Return what there is to tell. Raises what `lineage_graph` and `look` raise."""
    return Gathered(product, lineage_graph(product), None if cell is None else look(cell, product))
