"""Processes of the stack: started beside each other, and ended together."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from headwater.stack import stack
from headwater.stack.process import Process, StartFailedError, start_detached, stop_all
from headwater.stack.starting import Starting, wait_until_ready
from headwater.stack.state import load_state
from pipeline.settings import load_settings

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True);"

Start = Callable[[str], Starting]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Process] = []

    def start(code: str) -> Starting:
        log = tmp_path / f"{len(started)}.log"
        process = start_detached([sys.executable, "-c", code], log, os.environ, tmp_path)
        started.append(process)
        is_ready = lambda: log.exists() and "on" in log.read_text()  # noqa: E731
        return Starting(process, f"part {len(started)}", log, is_ready, 30.0)

    yield start
    stop_all(started, 0.0)


def test_all_are_waited_for(start: Start) -> None:
    wait = "import time; time.sleep(1); print('on', flush=True);"
    parts = [start(wait + SLEEP) for _ in range(4)]
    wait_until_ready(parts)
    assert all(part.is_ready() for part in parts)


def test_one_that_ends_is_named_with_its_log_and_the_others_go_on(start: Start) -> None:
    well = start("print('on', flush=True);" + SLEEP)
    with pytest.raises(StartFailedError, match=r"part 2: it did not become ready\.\nno port"):
        wait_until_ready([well, start("raise SystemExit('no port')")])
    assert well.process.alive


def test_one_that_does_not_answer_in_time_is_stopped(start: Start) -> None:
    late = replace(start(SLEEP), timeout_s=0.3)
    with pytest.raises(StartFailedError, match="part 1: it did not become ready"):
        wait_until_ready([late])
    assert not late.process.alive


def test_nothing_is_waited_for_where_nothing_was_started() -> None:
    wait_until_ready([])


def test_those_that_do_not_heed_are_killed_together(start: Start) -> None:
    parts = [start(STUBBORN + SLEEP) for _ in range(3)]
    wait_until_ready(parts)
    began = time.monotonic()
    stop_all([part.process for part in parts], 1.5)
    assert not any(part.process.alive for part in parts)
    assert time.monotonic() - began < 4.0, "the patience of one, and not of three"
    stop_all([part.process for part in parts])


def test_down_ends_what_was_started_and_whose_parent_was_killed_and_nothing_else(
    tmp_path: Path,
) -> None:
    settings = replace(load_settings(), home=tmp_path)
    state = load_state(tmp_path)

    def run(token: str) -> Process:
        environment = {**os.environ, stack.TOKEN: token}
        command = [sys.executable, "-c", SLEEP]
        return start_detached(command, tmp_path / "log", environment, tmp_path)

    stray, stranger = run(state.token), run("theirs")
    state.processes = {"dagster-daemon": run(state.token), "kafka-us": run("theirs")}
    parts = [*state.processes.values()]
    state.save(tmp_path)
    said: list[str] = []
    try:
        stack.down(settings, said.append)
        assert said == ["stopping dagster-daemon", "stopping kafka-us"]
        assert not any(process.alive for process in (*parts, stray))
        assert stranger.alive
        stack.down(settings, said.append)
        assert len(said) == 2, "stopping twice is no error"
    finally:
        stop_all([stray, stranger, *parts], 0.0)
