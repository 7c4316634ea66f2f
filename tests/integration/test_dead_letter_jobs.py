"""Dead letters in Dagster: reviewed, held to the contract, fed to their topic, tried and replayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.definitions import build
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from resources.cell import CellResource
from tests.support.load import TopicWriter
from tests.support.openlineage_schemas import lineage_of

SLO = """
slaProperties:
  - {property: completeness, value: 90, unit: percent}
"""


class Location:
    """A code location of one product, whose jobs run here."""

    def __init__(self, cell: Cell, product: Product, instance: dg.DagsterInstance) -> None:
        self._repository = build(cell.name).get_repository_def()
        self._names = f"{cell.name}__{product.name}__"
        self._resources = {"cell": CellResource(name=cell.name)}
        self._instance = instance

    def run(self, job: str, op: str = "", **config: Any) -> dg.ExecuteInProcessResult:
        """Run a job to its end."""
        ops = {"ops": {f"{self._names}{op}": {"config": config}}} if op else {}
        return self._repository.get_job(f"{self._names}{job}").execute_in_process(
            run_config=ops, instance=self._instance, resources=self._resources, raise_on_error=False
        )

    def observed(self, job: str, op: str, **config: Any) -> Mapping[str, Any]:
        """Return the metadata of what a job has observed."""
        (event,) = (
            one for one in self.run(job, op, **config).all_events if one.is_asset_observation
        )
        found = event.asset_observation_data.asset_observation.metadata
        return {name: value.value for name, value in found.items()}

    def look(self, sensor: str) -> dg.SensorResult:
        """Return what a sensor says."""
        context = dg.build_sensor_context(
            self._instance, repository_def=self._repository, resources=self._resources
        )
        result = self._repository.get_sensor_def(f"{self._names}{sensor}")(context)
        assert isinstance(result, dg.SensorResult)
        return result


@pytest.fixture
def product(strict_product: Product) -> Product:
    document = strict_product.folder / "contract.yaml"
    topic = f"      deadLetterTopic: {strict_product.topic.name}-dead\n      key: sensor"
    document.write_text(document.read_text().replace("      key: sensor", topic) + SLO)
    return load_product(strict_product.folder)


@pytest.fixture
def location(
    cell: Cell, product: Product, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Location]:
    monkeypatch.setenv("HEADWATER_HOME", str(home))
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(product.folder.parent))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Location(cell, product, instance)


def lineage(cell: Cell) -> list[dict[str, Any]]:
    """Return the events of replays."""
    return [event for event in lineage_of(cell) if event["job"]["name"].endswith(".replay")]


def test_dead_letters_are_reviewed_tried_replayed_and_fed(
    cell: Cell, product: Product, location: Location
) -> None:
    assert "ingested" in str(location.look("dead_letter_topic").skip_reason)
    writer = TopicWriter(cell, product)
    kinds = ("stale", "stale", "unknown schema")
    writer.send([*writer.events(9), *(writer.poison(kind) for kind in kinds)])
    ingest(cell, product, once=True)

    reviewed = location.run("dead_letter_review")
    assert reviewed.success, "a check that warns fails nothing"
    (told,) = reviewed.asset_materializations_for_node(f"us__{product.name}__review")
    assert (told.metadata["dead letters"].value, told.metadata["open"].value) == (3, 3)
    report = str(told.metadata["report"].value)
    assert "| stale | 2 |" in report
    assert "| unknown\\_schema | 1 |" in report
    (check,) = reviewed.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["open dead letters"].value == 3
    assert check.metadata["offsets"].value == 12
    assert check.metadata["allowed (%)"].value == 10

    tried = location.observed("dead_letter_dry_run", "dry_run")
    assert tried["by verdict"] == {"passes": 2, "fails": 1}
    assert tried["would be replayed"] == 2
    assert {one.data["verdict"] for one in tried["examples"].records} == {"passes", "fails"}
    (fed,) = location.look("dead_letter_topic").asset_events
    assert fed.metadata["records sent"].value == 3

    options = {"reasons": ["stale"], "by": "ann", "reason": "the clock was wrong"}
    done = location.observed("dead_letter_replay", "replay", **options)
    assert (done["records sent"], done["by verdict"]) == (2, {"passes": 2})
    (replayed,) = (one for one in lineage(cell) if one["eventType"] == "COMPLETE")
    assert replayed["run"]["facets"]["parent"]["job"]["name"].endswith("__dead_letter_replay")
    assert replayed["inputs"][0]["name"].endswith(".dead_letters")
    assert replayed["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 2
    ingest(cell, product, once=True)
    (fed,) = location.look("dead_letter_topic").asset_events
    assert (fed.metadata["tombstones sent"].value, fed.metadata["open dead letters"].value) == (
        2,
        1,
    )
    assert "No dead letter" in str(location.look("dead_letter_topic").skip_reason)
    (check,) = location.run("dead_letter_review").get_asset_check_evaluations()
    assert (check.passed, check.metadata["offsets"].value) == (True, 14)


def test_a_config_that_says_no_time_or_two_fixes_is_refused(
    cell: Cell, product: Product, location: Location
) -> None:
    for wrong in ({"since": "noon"}, {"fix": ["a=b"], "fix_function": "mend"}):
        assert not location.run("dead_letter_dry_run", "dry_run", **wrong).success
