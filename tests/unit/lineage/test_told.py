"""Runs that tell of themselves: once when they begin, once when they end, and seldom in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.cells import Cell, embedded_cell
from pipeline.ingest.lineage.run import IngestLineage
from pipeline.ingest.report import CommittedBatch, IngestReport
from pipeline.ledger.model import Entry
from pipeline.lineage.emitter import Emitter
from pipeline.lineage.runs import ParentRun
from pipeline.lineage.told import RUNNING_EVERY, ToldRun, product_run, told
from pipeline.supervision.locks import LockHeldError
from tests.support.openlineage_schemas import check_event
from tests.support.orders import hour, orders_product

DAGSTER = ParentRun("not a uuid", "us__orders__maintenance", "dagster")


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = hour(5)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    return embedded_cell(tmp_path, "us", "127.0.0.1:9")


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def run(cell: Cell, watch: Watch, tmp_path: Path) -> ToldRun:
    product = orders_product(tmp_path)
    return product_run(cell, product, "maintenance", "Upkeep.", "run", watch, DAGSTER)


def events(cell: Cell) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in Emitter(cell, "run").path.read_text().splitlines()]
    for one in found:
        check_event(one)
    return found


def states(cell: Cell) -> list[str]:
    return [event["eventType"] for event in events(cell)]


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("work", "state", "why"),
    [
        (lambda: None, "COMPLETE", None),
        (raising(ValueError("of a row: secret")), "FAIL", "ValueError"),
        (raising(LockHeldError("held.", subject="a", remedy="Wait.")), "FAIL", "a: held. Wait."),
        (raising(KeyboardInterrupt()), "ABORT", "KeyboardInterrupt"),
        (raising(GeneratorExit()), "ABORT", "GeneratorExit"),
    ],
)
def test_a_run_ends_as_what_ended_it(
    cell: Cell, run: ToldRun, work: Callable[[], None], state: str, why: str | None
) -> None:
    try:
        with told(run):
            work()
    except (ValueError, LockHeldError, KeyboardInterrupt, GeneratorExit):
        assert state != "COMPLETE"
    start, end = events(cell)
    assert (start["eventType"], end["eventType"]) == ("START", state)
    assert end["run"]["facets"].get("errorMessage", {}).get("message") == why
    parents = {event["run"]["facets"]["parent"]["run"]["runId"] for event in (start, end)}
    assert len(parents) == 1, "of a text that is no UUID one is made, always the same"


def test_a_run_may_count_as_failed_though_nothing_was_raised(cell: Cell, run: ToldRun) -> None:
    with told(run):
        run.why = "1 of 2 hours were not published."
    assert states(cell) == ["START", "FAIL"]


def test_a_run_that_goes_on_says_so_every_few_minutes(
    cell: Cell, run: ToldRun, watch: Watch
) -> None:
    with told(run):
        for _ in range(1_000):
            watch.now += RUNNING_EVERY / 100
            run.goes_on()
    assert states(cell) == ["START", *["RUNNING"] * 10, "COMPLETE"]


def test_an_ingest_tells_seldom_however_often_it_commits_and_of_all_it_has_committed(
    cell: Cell, watch: Watch, tmp_path: Path
) -> None:
    lineage = IngestLineage(cell, orders_product(tmp_path), "run", watch)
    report = IngestReport()
    lineage.started("topic-1")
    for number in range(100):
        watch.now += timedelta(seconds=7)
        entry = Entry(0, number, number + 1, rows=1)
        batch = CommittedBatch(
            offsets=1, rows=1, snapshot_id=number, committed_at=watch.now, entries=(entry,),
            reasons={}, rules={}, lag=0,
        )  # fmt: skip
        report.add(batch)
        lineage.committed(batch, report)
    lineage.ended(report)
    assert states(cell) == ["START", "RUNNING", "RUNNING", "COMPLETE"]
    *_, end = events(cell)
    offsets = end["inputs"][0]["inputFacets"]["headwater_kafkaOffsets"]["partitions"]
    assert offsets == [{"partition": 0, "start": 0, "end": 100}]
    assert end["outputs"][0]["facets"]["version"]["datasetVersion"] == "99"


def test_an_ingest_that_was_stopped_before_it_had_caught_up_is_aborted(
    cell: Cell, watch: Watch, tmp_path: Path
) -> None:
    lineage = IngestLineage(cell, orders_product(tmp_path), "run", watch, DAGSTER)
    lineage.started("topic-1")
    lineage.ended(IngestReport(), cut_short=True)
    assert states(cell) == ["START", "ABORT"]
