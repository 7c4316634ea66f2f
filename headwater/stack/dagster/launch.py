"""Dagster's webserver and daemon, as parts of the stack."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from assets.dagster_private.processes import DAEMON
from headwater.stack.ports import LOOPBACK, Address
from headwater.stack.process import Process, start_detached
from headwater.stack.starting import Starting
from pipeline.settings import Settings

READY_TIMEOUT_S = 420.0
"""Of which the code servers, which the webserver waits for, may take 300."""


def log_options(settings: Settings, level: str = "--log-level") -> tuple[str, ...]:
    """Return how one of Dagster's processes is told to log as `settings` say; `level` is its option."""
    options = () if settings.log_level is None else (level, settings.log_level.lower())
    return (*options, "--log-format", "json") if settings.log_format == "json" else options


def launch_webserver(
    port: int,
    workspace: Path,
    after: Sequence[str],
    settings: Settings,
    log: Path,
    environment: Mapping[str, str],
) -> Starting:
    """Start the webserver on loopback, and leave the waiting to the caller. It runs `after` other parts."""
    address = Address(LOOPBACK, port)
    command = webserver_command(address, workspace, after, settings)
    process = start_detached(command, log, environment, settings.project)
    subject = f"Dagster webserver {address}"
    return Starting(process, subject, log, partial(is_serving, port), READY_TIMEOUT_S)


def start_daemon(
    workspace: Path,
    after: Sequence[str],
    settings: Settings,
    log: Path,
    environment: Mapping[str, str],
) -> Process:
    """Start the daemon, which launches runs and evaluates sensors and schedules, `after` other parts."""
    command = daemon_command(workspace, after, settings)
    return start_detached(command, log, environment, settings.project)


def webserver_command(
    listen: Address, workspace: Path, after: Sequence[str], settings: Settings
) -> Sequence[str]:
    """Return the command line of a webserver that runs once the parts `after` answer."""
    options = ("-h", listen.host, "-p", str(listen.port), "-w", str(workspace))
    logging = log_options(settings, "--dagster-log-level")
    return _dagster(after, "dagster_webserver", *options, *logging)


def daemon_command(workspace: Path, after: Sequence[str], settings: Settings) -> Sequence[str]:
    """Return the command line of a daemon that runs once the parts `after` answer."""
    return _dagster(after, DAEMON, "run", "-w", str(workspace), *log_options(settings))


def is_serving(port: int, host: str = LOOPBACK) -> bool:
    """Whether a Dagster webserver answers on `port` of `host`."""
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/server_info", timeout=3) as answer:
            return "dagster_webserver_version" in json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _dagster(after: Sequence[str], module: str, *arguments: str) -> Sequence[str]:
    first = "headwater.stack.code_servers.after"
    return [sys.executable, "-m", first, ",".join(after), module, *arguments]
