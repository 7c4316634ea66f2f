"""Dagster's webserver and daemon, as parts of the stack."""

from __future__ import annotations

import json
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from assets.dagster_private import DAEMON
from headwater.stack.process import Process, StartFailedError, start_detached, tail
from pipeline.settings import PROJECT

READY_TIMEOUT_S = 120.0
INSTANCE = Path(__file__).with_name("dagster.yaml")


def prepare(dagster_home: Path) -> None:
    """Put the instance's configuration where Dagster looks for it."""
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(INSTANCE, dagster_home / INSTANCE.name)


def start_webserver(
    port: int, workspace: Path, log: Path, environment: Mapping[str, str]
) -> Process:
    """Start the webserver on loopback; returns once it answers.

    Raises:
        StartFailedError: with the end of its log.
    """
    command = _dagster(
        "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)
    )
    process = start_detached(command, log, environment, PROJECT)
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not is_serving(port):
        if not process.alive or time.monotonic() > deadline:
            process.stop(1.0)
            raise StartFailedError(
                f"it did not become ready.\n{tail(log)}\n",
                subject=f"Dagster webserver 127.0.0.1:{port}",
                remedy=f"The whole log is {log}.",
            )
        time.sleep(0.3)
    return process


def start_daemon(workspace: Path, log: Path, environment: Mapping[str, str]) -> Process:
    """Start the daemon, which launches runs and evaluates sensors and schedules."""
    command = _dagster(DAEMON, "run", "-w", str(workspace))
    return start_detached(command, log, environment, PROJECT)


def is_serving(port: int) -> bool:
    """Whether a Dagster webserver answers on `port` of loopback."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=3) as answer:
            return "dagster_webserver_version" in json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _dagster(module: str, *arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", module, *arguments]
