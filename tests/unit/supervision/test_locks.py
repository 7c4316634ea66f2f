"""Locks: held exactly as long as their process lives."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.supervision.locks import LockHeldError, hold_lock, lock_holder

HOLDER = """
import sys, time
from pathlib import Path
from pipeline.supervision.locks import hold_lock
with hold_lock(Path(sys.argv[1]), "run-1"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_nobody_holds_a_lock_that_was_never_taken(tmp_path: Path) -> None:
    assert lock_holder(tmp_path / "no.lock") is None
    assert not (tmp_path / "no.lock").exists()


def test_a_lock_names_its_owner_while_it_is_held(tmp_path: Path) -> None:
    lock = tmp_path / "folder" / "a.lock"
    with hold_lock(lock, "run-1"):
        assert lock_holder(lock) == "run-1"
    assert lock_holder(lock) is None


def test_a_held_lock_is_refused_with_its_owners_name(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with (
        hold_lock(lock, "run-1"),
        pytest.raises(LockHeldError, match="run-1"),
        hold_lock(lock, "run-2", wait_s=0),
    ):
        pytest.fail("held twice")


def test_the_next_owner_replaces_the_last_ones_name(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with hold_lock(lock, "a-long-name"):
        pass
    with hold_lock(lock, "short"):
        assert lock_holder(lock) == "short"


def test_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert lock_holder(lock) == "run-1"
        process.send_signal(signal.SIGKILL)
    assert lock_holder(lock) is None
    with hold_lock(lock, "run-2", wait_s=0):
        assert lock_holder(lock) == "run-2"
