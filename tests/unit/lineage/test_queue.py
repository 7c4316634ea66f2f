"""Events on their way to a collector: in order, never lost while they may wait, and in nobody's way."""

from __future__ import annotations

import json
import multiprocessing
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

from headwater.cli.main import cli
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.clock import utc_now
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.facets.common import PRODUCER
from pipeline.lineage.queue.background import settle
from pipeline.lineage.queue.drain import RETRY_AFTER, drain
from pipeline.lineage.queue.status import queue_status
from pipeline.lineage.queue.store import Queue
from tests.support.lineage_collector import LineageCollector, collecting


@pytest.fixture
def collector() -> Iterator[LineageCollector]:
    with collecting() as found:
        yield found


@pytest.fixture
def cell(tmp_path: Path, collector: LineageCollector) -> Cell:
    return sending(tmp_path, url=collector.url)


def sending(home: Path, **settings: Any) -> Cell:
    said = {"transport": "http", "timeout_s": 1, **settings}
    return replace(embedded_cell(home, "us", "127.0.0.1:9"), openlineage=said)


def run_id(run: int) -> str:
    return str(UUID(int=run))


def event(state: str = "START", run: int = 1) -> RunEvent:
    return RunEvent(
        eventTime=utc_now().isoformat(),
        producer=PRODUCER,
        eventType=RunState(state),
        run=Run(runId=run_id(run)),
        job=Job(namespace="us", name="orders.ingest"),
    )


def emit(cell: Cell, *states: str, run: int = 1) -> None:
    for state in states:
        Emitter(cell, f"run {run}").emit(event(state, run))


def waiting(cell: Cell) -> int:
    return queue_status(cell).events


def test_what_is_told_is_sent_and_kept_in_the_runs_file(
    cell: Cell, collector: LineageCollector
) -> None:
    emit(cell, "START", "RUNNING", "COMPLETE")
    assert settle(10)
    assert collector.states() == ["START", "RUNNING", "COMPLETE"]
    assert set(collector.paths) == {"/api/v1/lineage"}
    lines = Emitter(cell, "run 1").path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == collector.events
    assert waiting(cell) == 0


def test_a_collector_that_is_down_costs_no_time_and_gets_everything_in_order(
    cell: Cell, collector: LineageCollector
) -> None:
    collector.stop()
    began = time.monotonic()
    for run in range(30):
        emit(cell, "START", run=run)
    for run in range(30):
        emit(cell, "COMPLETE", run=run)
    assert time.monotonic() - began < 2
    assert settle(10)
    status = queue_status(cell)
    assert (status.events, status.tally.sent) == (60, 0)
    assert "does not answer" in (status.tally.error or "")
    collector.start()
    assert drain(cell).sent == 60
    for run in range(30):
        assert collector.states(run_id(run)) == ["START", "COMPLETE"]
    assert queue_status(cell).tally.error is None


def test_one_that_takes_no_answers_time_holds_nobody_up(tmp_path: Path) -> None:
    # It listens, and never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cell = sending(tmp_path, url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        emit(cell, "START", "COMPLETE")
        assert time.monotonic() - began < 0.5
        assert settle(10)
    assert waiting(cell) == 2


def test_a_collector_that_failed_is_asked_again_after_a_while(
    cell: Cell, collector: LineageCollector
) -> None:
    collector.answers = [503]
    emit(cell, "START")
    settle(10)
    emit(cell, "COMPLETE")
    settle(10)
    assert collector.events == []
    assert drain(cell, at_once=False).sent == 0
    later = utc_now() + RETRY_AFTER
    assert drain(cell, at_once=False, clock=lambda: later).sent == 2
    assert collector.states() == ["START", "COMPLETE"]


def test_an_event_that_will_never_be_taken_is_counted_and_holds_up_no_other(
    cell: Cell, collector: LineageCollector
) -> None:
    collector.answers = [422]
    Emitter(cell, "run 1").emit(event(), event("COMPLETE"))
    settle(10)
    assert collector.states() == ["COMPLETE"]
    tally = queue_status(cell).tally
    assert (tally.sent, tally.refused) == (1, 1)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_collector_that_lets_nobody_in_keeps_events_waiting(
    cell: Cell, collector: LineageCollector, status: int
) -> None:
    collector.answers = [status]
    emit(cell, "START")
    settle(10)
    assert waiting(cell) == 1
    assert f"HTTP {status}" in (queue_status(cell).tally.error or "")


def test_a_key_is_sent_and_shown_nowhere(tmp_path: Path, collector: LineageCollector) -> None:
    cell = sending(tmp_path, url=collector.url, api_key="hush", endpoint="lineage")
    emit(cell, "START")
    settle(10)
    assert collector.headers[0]["Authorization"] == "Bearer hush"
    assert collector.paths == ["/lineage"]
    assert "hush" not in repr(cell)
    collector.stop()
    assert "hush" not in str(drain(cell).error)
    kept = [path for path in cell.root.rglob("*") if path.is_file()]
    assert not any("hush" in path.read_text() for path in kept)


def test_what_waits_is_bounded_and_what_was_dropped_is_told(tmp_path: Path) -> None:
    cell = sending(tmp_path, url="http://127.0.0.1:9", queue_mb=0.01)
    for run in range(200):
        emit(cell, "START", run=run)
    settle(10)
    drain(cell)
    status = queue_status(cell)
    assert 0 < status.bytes <= 0.01 * 2**20
    assert status.events + status.tally.dropped == 200
    (newest, *_) = reversed(Queue.of(cell).entries())
    assert json.loads(newest.read()[0])["run"]["runId"] == run_id(199)
    aged = utc_now() + timedelta(hours=72)
    assert drain(cell, clock=lambda: aged).dropped == status.events
    assert queue_status(cell).tally.dropped == 200


def test_events_of_many_processes_arrive_whole_and_each_runs_in_order(
    cell: Cell, collector: LineageCollector
) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_work, args=(cell, run)) for run in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    drain(cell)
    for run in range(3):
        assert collector.states(run_id(run)) == ["START", *["RUNNING"] * 20, "COMPLETE"]
    assert waiting(cell) == 0


def test_a_process_that_is_killed_loses_nothing_that_it_had_told(
    tmp_path: Path, collector: LineageCollector
) -> None:
    cell = sending(tmp_path, url=collector.url)
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(cell, 7, 10_000))
    worker.start()
    while len(collector.events) < 20:
        time.sleep(0.01)
    worker.kill()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    drain(cell)
    lines = Emitter(cell, "run 7").path.read_text().splitlines()
    told, taken = [json.loads(line) for line in lines], collector.events
    # What was being sent when it was killed comes twice; what was told last may not wait yet.
    once = [one for place, one in enumerate(taken) if one not in taken[:place]]
    assert once in (told, told[:-1])
    assert len(taken) - len(once) <= 1


def test_a_queue_that_cannot_be_written_is_no_reason_to_fail(cell: Cell) -> None:
    Queue.of(cell).folder.parent.mkdir(parents=True)
    Queue.of(cell).folder.write_text("in the way")
    emit(cell, "START")
    assert len(Emitter(cell, "run 1").path.read_text().splitlines()) == 1


def test_without_an_address_the_work_goes_on_and_the_check_tells(tmp_path: Path) -> None:
    emit(sending(tmp_path), "START")
    assert not Queue.of(sending(tmp_path)).folder.exists()


def test_commands_tell_what_waits_and_send_it(
    cell: Cell,
    collector: LineageCollector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_cell(tmp_path, cell)
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    collector.stop()
    emit(cell, "START")
    settle(10)

    def run(*words: str) -> tuple[int, Any]:
        done = CliRunner().invoke(cli, ["openlineage", *words, "--json"], standalone_mode=False)
        return done.return_value, json.loads(done.stdout)

    code, told = run("status")
    assert (code, told["transport"], told["events"]) == (1, "http", 1)
    code, told = run("drain")
    assert (code, told["sent"]) == (4, 0)
    collector.start()
    assert run("drain") == (
        0,
        {"sent": 1, "refused": 0, "dropped": 0, "error": None, "busy": False},
    )
    assert run("status")[0] == 0


def _work(cell: Cell, run: int, count: int = 20) -> None:
    emit(cell, "START", *["RUNNING"] * count, "COMPLETE", run=run)
