"""Fences are placed once and never moved, whoever places them."""

from __future__ import annotations

import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.hours.fence import Fence, FenceStore
from pipeline.state.sqlite import SqliteState

HOUR = datetime(2026, 1, 1, 5, tzinfo=UTC)
TAKEN = HOUR + timedelta(hours=1, minutes=5)


def test_a_fence_is_what_was_seen_at_the_first_look(tmp_path: Path) -> None:
    store = FenceStore(SqliteState(tmp_path / "state" / "state.db"))
    store.place("t", [HOUR], {0: 10, 1: 0}, TAKEN)
    store.place("t", [HOUR], {0: 99, 1: 99, 2: 99}, TAKEN + timedelta(hours=1))
    assert store.fences("t") == {HOUR: Fence(HOUR, TAKEN, {0: 10, 1: 0})}


def test_it_outlives_the_process(tmp_path: Path) -> None:
    FenceStore(SqliteState(tmp_path / "state.db")).place("t", [HOUR], {0: 10}, TAKEN)
    assert FenceStore(SqliteState(tmp_path / "state.db")).fences("t")[HOUR].watermarks == {0: 10}


def test_a_recreated_topic_has_fences_of_its_own(tmp_path: Path) -> None:
    store = FenceStore(SqliteState(tmp_path / "state.db"))
    store.place("old", [HOUR], {0: 10}, TAKEN)
    assert store.fences("new") == {}


def test_the_first_look_is_remembered(tmp_path: Path) -> None:
    store = FenceStore(SqliteState(tmp_path / "state.db"))
    assert store.watched_since("t", TAKEN) == TAKEN
    assert store.watched_since("t", TAKEN + timedelta(days=1)) == TAKEN


def _race(path: Path, watermark: int) -> None:
    store = FenceStore(SqliteState(path))
    for number in range(30):
        at = HOUR + timedelta(hours=number)
        store.place("t", [at], {0: watermark, 1: watermark}, TAKEN)


def test_two_processes_that_race_leave_whole_fences_of_one_of_them(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    context = multiprocessing.get_context("spawn")
    racers = [context.Process(target=_race, args=(path, w)) for w in (1, 2)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0, 0]
    fences = FenceStore(SqliteState(path)).fences("t")
    assert len(fences) == 30
    assert all(fence.watermarks in ({0: 1, 1: 1}, {0: 2, 1: 2}) for fence in fences.values())


def test_a_file_that_another_has_just_created_and_writes_to_is_waited_for(tmp_path: Path) -> None:
    """SQLite would refuse at once to set the mode of such a file, however long a connection waits."""
    path = tmp_path / "state.db"
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor() as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        opened = pool.submit(lambda: FenceStore(SqliteState(path)))
        with pytest.raises(TimeoutError):
            opened.result(timeout=0.5)
        other.execute("COMMIT")
        assert opened.result(timeout=30).fences("t") == {}
