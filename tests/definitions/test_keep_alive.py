"""The keep-alive sensor: exactly one ingest alive, told by a lock and not by Dagster's word."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path

import dagster as dg
import pytest

from assets.dagster_private.runs import GRPC_INFO_TAG
from pipeline.cells import Cell
from pipeline.control.alerts import read_alerts
from pipeline.supervision.locks import hold_lock, ingest_lock
from pipeline.supervision.restart import REPEATED
from tests.support import first_location
from tests.support.first_location import CELL, PRODUCT, REPOSITORY

JOB = f"{CELL}__{PRODUCT.name}__ingest"
look = partial(first_location.look, "ingest_keep_alive")


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


def in_process(instance: dg.DagsterInstance, run: dg.DagsterRun, pid: int) -> None:
    """Record the run's process, as it does itself."""
    data = import_module("dagster._core.events").EngineEventData.in_process(pid)
    instance.report_engine_event(f"Started process for run (pid: {pid}).", run, data)


def fail(instance: dg.DagsterInstance, *, after_a_commit: bool = False) -> None:
    run = a_run(instance, dg.DagsterRunStatus.STARTED)
    if after_a_commit:
        events = dg.AssetMaterialization([CELL, PRODUCT.name, "events"])
        event = import_module("dagster._core.events").DagsterEvent(
            event_type_value="ASSET_MATERIALIZATION",
            job_name=JOB,
            event_specific_data=import_module("dagster._core.events").StepMaterializationData(
                events
            ),
        )
        instance.report_dagster_event(event, run.run_id)
    instance.report_run_failed(run, message="It was terminated by signal 9 (SIGKILL).")


def kinds(cell: Cell) -> list[str]:
    return [alert.kind for alert in read_alerts(cell, PRODUCT.name)]


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


@pytest.fixture
def ended_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


@pytest.mark.parametrize("claimed", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
def test_it_replaces_a_run_at_once_whose_process_is_gone(
    instance: dg.DagsterInstance, cell: Cell, claimed: dg.DagsterRunStatus, ended_pid: int
) -> None:
    run = a_run(instance, claimed)
    in_process(instance, run, ended_pid)
    assert launches(look(instance)) == 0, "a failure: the next waits some seconds"
    assert status_of(instance, run) is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("claimed", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
def test_it_never_calls_a_run_dead_whose_process_lives(
    instance: dg.DagsterInstance, cell: Cell, claimed: dg.DagsterRunStatus
) -> None:
    run = a_run(instance, claimed)
    in_process(instance, run, os.getpid())
    result = look(instance, an_hour_ago(look(instance).cursor))
    assert launches(result) == 0
    assert status_of(instance, run) is claimed


def test_a_run_that_starts_lives_as_long_as_the_code_server_that_starts_it(
    instance: dg.DagsterInstance, cell: Cell, tmp_path: Path
) -> None:
    run = a_run(instance, dg.DagsterRunStatus.STARTING)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "server"))
        server.listen()
        tag = json.dumps({"host": "localhost", "socket": str(tmp_path / "server")})
        instance.add_run_tags(run.run_id, {GRPC_INFO_TAG: tag})
        look(instance, an_hour_ago(f'{{"{run.run_id} starting": ""}}'))
        assert status_of(instance, run) is dg.DagsterRunStatus.STARTING
    look(instance, an_hour_ago(f'{{"{run.run_id} starting": ""}}'))
    assert status_of(instance, run) is dg.DagsterRunStatus.FAILURE


def test_it_leaves_the_run_alone_that_holds_the_lock(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    run = a_run(instance, dg.DagsterRunStatus.STARTED)
    with hold_lock(ingest_lock(cell, PRODUCT.name), run.run_id):
        result = look(instance, an_hour_ago(look(instance).cursor))
    assert launches(result) == 0
    assert status_of(instance, run) is dg.DagsterRunStatus.STARTED


def test_it_waits_a_while_after_a_run_that_failed(instance: dg.DagsterInstance, cell: Cell) -> None:
    fail(instance)
    result = look(instance)
    assert launches(result) == 0
    assert "1 runs in a row failed" in str(result.skip_reason)


def test_it_launches_at_once_after_a_run_that_had_committed(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    for _ in range(5):
        fail(instance)
    fail(instance, after_a_commit=True)
    assert launches(look(instance)) == 1


def test_it_launches_at_once_after_a_run_that_ended_well(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    a_run(instance, dg.DagsterRunStatus.SUCCESS)
    assert launches(look(instance)) == 1


def test_failures_of_one_kind_become_one_alert(instance: dg.DagsterInstance, cell: Cell) -> None:
    for failures in range(1, 5):
        fail(instance)
        look(instance)
        assert len(kinds(cell)) == (failures >= REPEATED)
    (alert,) = read_alerts(cell, PRODUCT.name)
    assert alert.kind == "ingest_failing"
    assert "SIGKILL" in alert.detail


def test_a_living_run_that_never_takes_the_lock_is_told_of(
    instance: dg.DagsterInstance, cell: Cell
) -> None:
    run = a_run(instance, dg.DagsterRunStatus.STARTED)
    in_process(instance, run, os.getpid())
    first = look(instance)
    assert kinds(cell) == []
    result = look(instance, an_hour_ago(first.cursor))
    assert "has not taken the ingest lock" in str(result.skip_reason)
    assert launches(result) == 0
    assert kinds(cell) == ["ingest_stalled"]


def test_a_holder_that_does_not_go_on_is_told_of(instance: dg.DagsterInstance, cell: Cell) -> None:
    lock = ingest_lock(cell, PRODUCT.name)
    with hold_lock(lock, "somebody"):
        os.utime(lock.path, (0, 0))
        result = look(instance)
    assert "has not gone on" in str(result.skip_reason)
    assert kinds(cell) == ["ingest_stalled"]
