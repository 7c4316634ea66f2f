"""Upkeep in Dagster: launched where something is due, apart from hours, and told as metadata."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build
from assets.keys import WHY_TAG
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.clock import utc_now
from pipeline.contract.load import load_products
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.maintenance.state import keep_state
from pipeline.settings import load_settings
from pipeline.supervision.locks import hold_lock, maintenance_lock
from pipeline.tables.catalog import load_table
from resources.cell import CellResource

PRODUCT = load_products(load_settings().contracts)[0]
CELL = PRODUCT.cells[0]
JOB = f"{CELL}__{PRODUCT.name}__maintenance"
REPOSITORY = build(CELL).get_repository_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cell:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    cell = embedded_cell(tmp_path, CELL, "127.0.0.1:1")
    save_cell(tmp_path, cell)
    return cell


def look(instance: dg.DagsterInstance) -> dg.SensorResult:
    sensor = REPOSITORY.get_sensor_def(f"{CELL}__{PRODUCT.name}__maintenance_due")
    context = dg.build_sensor_context(
        instance, repository_def=REPOSITORY, resources={"cell": CellResource(name=CELL)}
    )
    result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


def skipped(instance: dg.DagsterInstance) -> str:
    result = look(instance)
    assert not result.run_requests
    return str(result.skip_reason)


def test_nothing_is_due_before_there_is_a_table(instance: dg.DagsterInstance, cell: Cell) -> None:
    assert "Nothing is due" in skipped(instance)


def test_one_run_does_what_is_due_and_says_what_it_did(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    events = ensure_tables(cell, PRODUCT).events
    left = Path(events.location().removeprefix("file://")) / "data" / "left.parquet"
    left.parent.mkdir(parents=True)
    left.write_text("by a killed writer")
    assert "Nothing is due" in skipped(instance)
    for table in ("events", "dead_letters"):
        looked_at = utc_now() - timedelta(hours=30)
        keep_state(cell, f"{PRODUCT.name}.{table}", swept_at=looked_at)
    (request,) = look(instance).run_requests or ()
    assert f"sweep {PRODUCT.name}.events" in request.tags[WHY_TAG]

    done = REPOSITORY.get_job(JOB).execute_in_process(
        instance=instance, tags=request.tags, resources={"cell": CellResource(name=CELL)}
    )
    assert done.success
    (told,) = done.asset_materializations_for_node(f"{CELL}__{PRODUCT.name}__upkeep")
    assert told.metadata["tables"].value == 2
    assert told.metadata["snapshots left"].value == len(events.metadata.snapshots)
    assert told.metadata["orphan files"].value == 0, "somebody may be about to commit it"
    assert left.exists()
    assert "at the earliest" in skipped(instance)
    assert load_table(cell, f"{PRODUCT.name}.events").scan().to_arrow().num_rows == 0


def test_nothing_is_launched_while_another_run_is_at_work(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    ensure_tables(cell, PRODUCT)
    with hold_lock(maintenance_lock(cell, PRODUCT.name), "somebody"):
        assert "somebody" in skipped(instance)
