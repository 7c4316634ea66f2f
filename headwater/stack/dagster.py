"""Dagster's webserver and daemon, as parts of the stack."""

from __future__ import annotations

import json
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from assets.dagster_private import DAEMON
from headwater.stack.process import Process, start_detached
from headwater.stack.starting import Starting
from pipeline.settings import PROJECT

READY_TIMEOUT_S = 120.0
STORAGE_MADE = "storage-made"
INSTANCE = Path(__file__).with_name("dagster.yaml")


def prepare(dagster_home: Path) -> None:
    """Put the instance's configuration where Dagster looks for it."""
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(INSTANCE, dagster_home / INSTANCE.name)


def is_storage_made(dagster_home: Path) -> bool:
    """Tell whether a webserver has answered on this storage before, so that all of it is made."""
    return (dagster_home / STORAGE_MADE).exists()


def mark_storage_made(dagster_home: Path) -> None:
    """Remember that a webserver has answered."""
    (dagster_home / STORAGE_MADE).touch()


def launch_webserver(
    port: int, workspace: Path, log: Path, environment: Mapping[str, str]
) -> Starting:
    """Start the webserver on loopback, and leave the waiting to the caller."""
    command = _dagster(
        "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)
    )
    process = start_detached(command, log, environment, PROJECT)
    subject = f"Dagster webserver 127.0.0.1:{port}"
    return Starting(process, subject, log, partial(is_serving, port), READY_TIMEOUT_S)


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
