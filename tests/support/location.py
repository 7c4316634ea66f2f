"""A code location as Dagster runs it, in the test's process: what sensors ask for is run at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from assets.definitions import build
from assets.partitions import to_hour
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product
from pipeline.tables.catalog import load_table
from resources.cell import CellResource

Made = Counter[tuple[str, datetime]]
"""Partitions that were materialized, by table and hour."""


@dataclass(frozen=True)
class Event:
    """A record to produce; its record time is its event time, as late events' are."""

    key: str
    at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Location:
    """A product and its derived tables in a code location, on an instance of its own."""

    cell: Cell
    product: Product
    repository: dg.RepositoryDefinition
    instance: dg.DagsterInstance

    def send(self, events: Iterable[Event]) -> None:
        """Produce events, and ingest them."""
        with EventWriter(self.cell, self.product, open_registry(self.cell)) as writer:
            for event in events:
                micros = int(event.at.timestamp() * 1_000_000)
                writer.send(
                    dict(event.payload), key=event.key, event_time=micros, uuid=str(uuid4())
                )
        ingest(self.cell, self.product, once=True)

    def ask(self, part: str) -> dg.RunRequest | None:
        """Return what a sensor asks for."""
        context = dg.build_sensor_context(
            self.instance,
            repository_def=self.repository,
            resources={"cell": CellResource(name="us")},
        )
        result = self.repository.get_sensor_def(f"us__{self.product.name}__{part}")(context)
        assert isinstance(result, dg.SensorResult)
        return next(iter(result.run_requests or ()), None)

    def run(self, tags: Mapping[str, str]) -> dg.ExecuteInProcessResult:
        """Run the hourly job with the tags of a run."""
        job = self.repository.get_job(f"us__{self.product.name}__hourly")
        return job.execute_in_process(instance=self.instance, tags=dict(tags), raise_on_error=False)

    def drain(self) -> Made:
        """Run whatever both sensors ask for, until they ask for nothing; every run must succeed."""
        made: Made = Counter()
        while request := self.ask("hour_closed") or self.ask("late_data"):
            result = self.run(request.tags)
            assert result.success
            made += materialized(result)
        return made

    def rows(self, table: str) -> list[tuple[object, ...]]:
        """Return a table's rows in their order, columns in the order of their names."""
        found = load_table(self.cell, f"{self.product.name}.{table}").scan().to_arrow().to_pylist()
        return sorted(tuple(row[key] for key in sorted(row)) for row in found)


def materialized(result: dg.ExecuteInProcessResult) -> Made:
    """Return what a run made."""
    made = [event.materialization for event in result.all_events if event.is_step_materialization]
    return Counter((one.asset_key.path[-1], to_hour(str(one.partition))) for one in made)


@contextmanager
def open_location(
    cell: Cell, home: Path, product: Product, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Location]:
    """Create the product's topic, and load the code location over its folder of contracts."""
    monkeypatch.setenv("HEADWATER_HOME", str(home))
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(product.folder.parent))
    whole = load_product(product.folder)
    ensure_topic(cell, whole)
    register_product(open_registry(cell), whole)
    storage.mkdir()
    with dg.DagsterInstance.local_temp(str(storage)) as instance:
        yield Location(cell, whole, build("us").get_repository_def(), instance)
