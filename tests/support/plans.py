"""What Spark really did to compute a frame, told by its executed plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

READ, SKIPPED = "resultDataFiles", "skippedDataFiles"
MANIFESTS_SKIPPED = "skippedDataManifests"


@dataclass(frozen=True)
class Scan:
    """One scan of an Iceberg table.

    Attributes:
        table: its name, without catalog and namespace.
        files: data files that were read.
        filters: what the table was asked for, as Iceberg prints it.
    """

    table: str
    files: int
    filters: str


def run(frame: DataFrame) -> list[Any]:
    """Compute `frame`, and return the nodes of the plan that this took in the end."""
    frame.collect()
    return list(_nodes(frame._jdf.queryExecution().executedPlan()))


def scans(nodes: list[Any]) -> list[Scan]:
    """Return the scans of Iceberg tables, by table and filters."""
    found = []
    for node in nodes:
        if node.nodeName().startswith("BatchScan"):
            metrics = node.metrics()
            name = node.nodeName().removeprefix("BatchScan ").rpartition(".")[2]
            scan = Scan(name, metrics.apply(READ).value(), node.scan().description())
            found.append(scan)
    return sorted(found, key=lambda scan: (scan.table, scan.filters))


def shuffles(nodes: list[Any]) -> list[str]:
    """Return how rows were spread anew, once for each time."""
    return [str(node.outputPartitioning()) for node in nodes if node.nodeName() == "Exchange"]


def _nodes(plan: Any) -> Iterator[Any]:
    name = plan.nodeName()
    if name == "AdaptiveSparkPlan":
        yield from _nodes(plan.executedPlan())
    elif name.endswith("QueryStage"):
        yield from _nodes(plan.plan())
    else:
        yield plan
        children = plan.children()
        for number in range(children.size()):
            yield from _nodes(children.apply(number))
