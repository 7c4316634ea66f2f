"""The keep-alive sensor: exactly one ingest alive, told by a lock and not by Dagster's word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.contract.load import load_products
from pipeline.settings import load_settings
from pipeline.supervision.locks import hold_lock, ingest_lock
from resources.cell import CellResource

PRODUCT = load_products(load_settings().contracts)[0]
CELL = PRODUCT.cells[0]
JOB = f"{CELL}__{PRODUCT.name}__ingest"
REPOSITORY = build(CELL).get_repository_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A cell that is configured and whose Kafka does not run: the sensor needs none."""
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    cell = embedded_cell(tmp_path, CELL, "127.0.0.1:1")
    save_cell(tmp_path, cell)
    return cell


def look(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    sensor = REPOSITORY.get_sensor_def(f"{CELL}__{PRODUCT.name}__ingest_keep_alive")
    context = dg.build_sensor_context(
        instance, cursor, repository_def=REPOSITORY, resources={"cell": CellResource(name=CELL)}
    )
    result = sensor(context)
    assert isinstance(result, dg.SensorResult)
    return result


def launches(result: dg.SensorResult) -> int:
    return len(result.run_requests or ())


def a_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return instance.create_run_for_job(REPOSITORY.get_job(JOB), status=status)


def status_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def an_hour_ago(cursor: str | None) -> str:
    """Return the cursor as if its suspicions were an hour old."""
    then = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    return json.dumps(dict.fromkeys(json.loads(cursor or "{}"), then))


def test_it_says_what_is_missing_where_no_stack_was_started(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    result = look(instance)
    assert launches(result) == 0
    assert "headwater up" in str(result.skip_reason)


def test_it_launches_an_ingest_when_nobody_works(instance: dg.DagsterInstance, cell: Cell) -> None:
    assert launches(look(instance)) == 1


def test_it_launches_nothing_while_the_lock_is_held(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    with hold_lock(ingest_lock(cell, PRODUCT.name), "somebody"):
        result = look(instance)
    assert launches(result) == 0
    assert "somebody" in str(result.skip_reason)


@pytest.mark.parametrize(
    ("claimed", "reported"),
    [
        (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE),
        (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.FAILURE),
        (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED),
    ],
)
def test_it_replaces_a_run_that_died_without_saying_so(
    instance: dg.DagsterInstance,
    cell: Cell,
    claimed: dg.DagsterRunStatus,
    reported: dg.DagsterRunStatus,
) -> None:
    run = a_run(instance, claimed)
    first = look(instance)
    assert launches(first) == 0, "at first sight it may be starting, or ending"
    assert status_of(instance, run) is claimed
    look(instance, an_hour_ago(first.cursor))
    assert status_of(instance, run) is reported


def test_it_leaves_the_run_alone_that_holds_the_lock(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    run = a_run(instance, dg.DagsterRunStatus.STARTED)
    with hold_lock(ingest_lock(cell, PRODUCT.name), run.run_id):
        result = look(instance, an_hour_ago(look(instance).cursor))
    assert launches(result) == 0
    assert status_of(instance, run) is dg.DagsterRunStatus.STARTED


def test_it_waits_a_while_after_a_run_that_failed(instance: dg.DagsterInstance, cell: Cell) -> None:
    instance.report_run_failed(a_run(instance, dg.DagsterRunStatus.STARTED))
    result = look(instance)
    assert launches(result) == 0
    assert "failed" in str(result.skip_reason)


def test_it_launches_at_once_after_a_run_that_ended_well(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    a_run(instance, dg.DagsterRunStatus.SUCCESS)
    assert launches(look(instance)) == 1
