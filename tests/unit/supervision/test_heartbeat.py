"""What an ingest says of itself beside its lock."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.cells import embedded_cell
from pipeline.supervision.heartbeat import (
    STALLED_AFTER,
    Heartbeat,
    Pulse,
    describe_stall,
    heartbeat_file,
    read_heartbeat,
    stalled_for,
)
from pipeline.supervision.locks import hold_lock, ingest_lock

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def pulse(path: Path, now: datetime = NOW) -> Pulse:
    return Pulse(path, "run-1", lambda: now)


def test_there_is_none_where_none_was_written(tmp_path: Path) -> None:
    assert read_heartbeat(tmp_path / "none") is None


def test_it_tells_of_commits_and_of_what_is_waited_out(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "orders.ingest.heartbeat"
    beating = pulse(path)
    beating.beat(0)
    assert read_heartbeat(path) == Heartbeat("run-1", os.getpid(), NOW)
    beating.beat(3, NOW, waits="Kafka does not answer.")
    assert read_heartbeat(path) == Heartbeat(
        "run-1", os.getpid(), NOW, 3, NOW, "Kafka does not answer."
    )
    beating.beat(3)
    assert read_heartbeat(path) == Heartbeat("run-1", os.getpid(), NOW, 3, NOW)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"at": 5, "committed_at": null}'])
def test_one_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "heartbeat"
    path.write_text(text)
    assert read_heartbeat(path) is None


def test_a_run_goes_on_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    pulse(tmp_path / "file" / "heartbeat").beat(1)


def test_a_holder_of_the_lock_that_does_not_beat_is_stalled(tmp_path: Path) -> None:
    cell = embedded_cell(tmp_path, "us", "127.0.0.1:1")
    lock, path = ingest_lock(cell, "orders"), heartbeat_file(cell, "orders")
    assert describe_stall(cell, "orders", NOW) is None, "there was never a lock"
    with hold_lock(lock, "run-1"):
        os.utime(lock.path, (NOW.timestamp(), NOW.timestamp()))
        pulse(path, NOW - timedelta(hours=1)).beat(9)
        assert stalled_for(lock, read_heartbeat(path), NOW) is None, "it has begun this moment"
        late = NOW + STALLED_AFTER
        assert stalled_for(lock, read_heartbeat(path), late) == STALLED_AFTER
        assert "has not gone on for 300 s" in str(describe_stall(cell, "orders", late))
        pulse(path, late).beat(10)
        assert describe_stall(cell, "orders", late) is None
