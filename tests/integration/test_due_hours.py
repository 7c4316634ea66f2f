"""Closed hours ask to be built, by sensor and by schedule alike, and lag is measured as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build
from headwater.produce.generated import Order, produce_generated
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.produce.topic import ensure_topic
from pipeline.settings import PROJECT
from quality.freshness import measure_freshness
from resources.cell import CellResource
from tests.support.products import own_product

HOURS = 3


@dataclass(frozen=True)
class Location:
    """A code location of one product, on an instance of its own."""

    cell: Cell
    product: Product
    repository: dg.RepositoryDefinition
    instance: dg.DagsterInstance

    def sensor(self) -> dg.SensorResult:
        name = f"us__{self.product.name}__hour_closed"
        context = dg.build_sensor_context(
            self.instance, repository_def=self.repository, resources=self._resources()
        )
        result = self.repository.get_sensor_def(name)(context)
        assert isinstance(result, dg.SensorResult)
        return result

    def schedule(self) -> dg.RunRequest | dg.SkipReason:
        name = f"us__{self.product.name}__hourly"
        context = dg.build_schedule_context(self.instance, resources=self._resources())
        result = self.repository.get_schedule_def(name)(context)
        assert isinstance(result, dg.RunRequest | dg.SkipReason)
        return result

    def _resources(self) -> dict[str, object]:
        return {"cell": CellResource(name="us")}


@pytest.fixture
def location(
    cell: Cell, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Location]:
    product = own_product(
        "viewing_events",
        tmp_path / "contracts",
        PROJECT / "contracts",
        tables=["content_engagement_hourly"],
    )
    monkeypatch.setenv("HEADWATER_HOME", str(home))
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(tmp_path / "contracts"))
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield Location(cell, product, build("us").get_repository_def(), instance)


def fill(location: Location) -> None:
    order = Order(count=300, backfill_hours=HOURS, seed=5)
    produce_generated(location.cell, location.product, order)


def test_closed_hours_are_asked_for_in_one_run(location: Location) -> None:
    fill(location)
    ingest(location.cell, location.product, once=True)
    (asked,) = location.sensor().run_requests or ()
    hours = int(asked.tags["headwater/hours"])
    # In the first minutes of an hour, the last one is not due for its fence yet.
    assert hours in (HOURS - 1, HOURS)
    end = datetime.strptime(
        asked.tags["dagster/asset_partition_range_end"], "%Y-%m-%d-%H:%M"
    ).replace(tzinfo=UTC)
    start = asked.tags["dagster/asset_partition_range_start"]
    assert start == (end - timedelta(hours=hours - 1)).strftime("%Y-%m-%d-%H:%M")
    again = location.schedule()
    assert isinstance(again, dg.RunRequest)
    assert again.run_key == asked.run_key, "sensor and schedule never ask for the same work twice"


def test_an_hour_waits_for_the_records_that_its_fence_saw(location: Location) -> None:
    ensure_topic(location.cell, location.product)
    ingest(location.cell, location.product, once=True)
    fill(location)
    # The events table has no rows of these hours yet, so nothing is known of them.
    assert not location.sensor().run_requests
    ingest(location.cell, location.product, once=True)
    assert location.sensor().run_requests


def test_late_records_do_not_hold_up_an_hour_whose_fence_is_placed(location: Location) -> None:
    fill(location)
    ingest(location.cell, location.product, once=True)
    location.sensor()
    fill(location)
    assert location.sensor().run_requests


def test_nothing_is_asked_for_before_the_first_ingest(location: Location) -> None:
    ensure_topic(location.cell, location.product)
    result = location.sensor()
    assert not result.run_requests
    assert result.skip_reason


def test_hours_before_the_first_partition_are_not_passed_over_in_silence(
    location: Location,
) -> None:
    contract = location.product.folder / "contract.yaml"
    contract.write_text(contract.read_text().replace("firstHour: 2025", "firstHour: 2100"))
    later = replace(location, repository=build("us").get_repository_def())
    fill(later)
    ingest(later.cell, later.product, once=True)
    result = later.sensor()
    assert not result.run_requests
    said = str(result.skip_reason)
    assert "hours with rows" in said
    assert "State `firstHour: " in said
    assert "headwater hours build" in said


def test_lag_is_the_age_of_the_oldest_record_that_waits(location: Location) -> None:
    fill(location)
    behind = measure_freshness(location.cell, location.product)
    assert behind.waiting == 300
    assert timedelta(hours=1) < behind.lag < timedelta(hours=HOURS + 1, minutes=1)
    ingest(location.cell, location.product, once=True)
    caught_up = measure_freshness(location.cell, location.product)
    assert (caught_up.waiting, caught_up.lag) == (0, timedelta(0))
