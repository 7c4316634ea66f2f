"""Upkeep in Dagster: launched where something is due, apart from hours, and told as metadata."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import dagster as dg

from assets.keys import WHY_TAG
from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.lineage.emitter import Emitter
from pipeline.maintenance.state import keep_state
from pipeline.supervision.locks import hold_lock, maintenance_lock
from pipeline.tables.catalog import load_table
from resources.cell import CellResource
from tests.support import first_location
from tests.support.first_location import CELL, PRODUCT, REPOSITORY
from tests.support.openlineage_schemas import check_event

JOB = f"{CELL}__{PRODUCT.name}__maintenance"
look = partial(first_location.look, "maintenance_due")


def lineage_of(cell: Cell, run_id: str, job: str) -> list[str]:
    """Return the states that lineage tells of a run, each as part of Dagster's."""
    lines = Emitter(cell, run_id).path.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        check_event(event)
        parent = event["run"]["facets"]["parent"]
        assert (parent["run"]["runId"], parent["job"]["name"]) == (run_id, JOB)
        assert event["job"]["name"] == job
    return [event["eventType"] for event in events]


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
    assert lineage_of(cell, done.run_id, f"{PRODUCT.name}.maintenance") == ["START", "COMPLETE"]
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
