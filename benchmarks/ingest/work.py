"""What a contestant is given, in a form that any interpreter can read: standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.cells import Cell

TABLE = "bench.events"
"""The peers' table; it is made before the clock starts, partitioned by the hour of `at`."""
WARM_UP = "bench.warm_up"


@dataclass(frozen=True)
class Topic:
    """A filled topic, and where the contract of its product lies."""

    name: str
    events: int
    partitions: int
    contract: str


@dataclass(frozen=True)
class Work:
    """One run of one contestant, in a cell (catalog and warehouse) that nobody else uses.

    Attributes:
        contestant: name of its module in benchmarks.ingest.contestants.
        variant: name of one of its ways to run; "" where it has one.
        warm_up: works off this first, into another table, outside the clock.
        payload: the Avro schema of the values, after the 5 bytes of the Confluent wire format.
        cell: fields of pipeline.cells.Cell, all of them texts.
        format: of the values, as contracts say it; peers read Avro in that framing, and JSON.
    """

    contestant: str
    variant: str
    topic: Topic
    warm_up: Topic
    payload: Mapping[str, Any]
    cell: Mapping[str, str]
    format: str = "avro"

    def own_cell(self) -> Cell:
        """Return its cell. Needs the project's own interpreter."""
        from pipeline.cells import Cell

        fields: dict[str, Any] = dict(self.cell)
        return Cell(root=Path(fields.pop("root")), **fields)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)))


def fields_of(cell: Cell) -> dict[str, str]:
    """Return what `Work` takes of a cell; it must have no settings of its own for Kafka and Spark."""
    return {
        name: str(getattr(cell, name))
        for name in ("name", "root", "bootstrap_servers", "catalog_uri", "warehouse")
    }


def load_work(path: Path) -> Work:
    """Read what `Work.save` wrote."""
    fields = json.loads(path.read_text())
    for name in ("topic", "warm_up"):
        fields[name] = Topic(**fields[name])
    return Work(**fields)
