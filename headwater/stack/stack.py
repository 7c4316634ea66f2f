"""Starting and stopping the whole stack. Both may be done again at any time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
from filelock import FileLock

from headwater.stack import dagster, data_docs, parts
from headwater.stack.defaults import DATA_DOCS_PORT, KAFKA_PORT, WEB_PORT, WORKSPACE
from headwater.stack.jars import ensure_jars
from headwater.stack.parts import DAEMON, DATA_DOCS, WEBSERVER, Part, broker_name
from headwater.stack.ports import free_port
from headwater.stack.process import end
from headwater.stack.starting import Starting, wait_until_ready
from headwater.stack.state import StackState, load_state
from pipeline.cells import Cell, CellNotFoundError, embedded_cell, load_cell, save_cell
from pipeline.settings import Settings

TOKEN = "HEADWATER_STACK"  # noqa: S105 - the name of a variable

DAGSTER_STOP_S = 5.0
"""How long Dagster and its runs may take to end: ingest has come to a commit boundary long before.

What is killed then loses nothing: commits are whole, and Dagster keeps what it knows in SQLite.
"""
BROKER_STOP_S = 20.0
LATE_ANSWER_S = 10.0
"""How long a part whose process runs may take to answer before it is started anew."""

Say = Callable[[str], None]


def up(
    settings: Settings,
    cells: Sequence[str],
    say: Say,
    *,
    kafka_port: int | None = None,
    web_port: int | None = None,
    workspace: Path = WORKSPACE,
) -> tuple[Part, ...]:
    """Start what does not run: a broker a cell, Data Docs, the webserver and the daemon.

    Returns their state.

    Parts that run are left alone; those that were killed start again on their data and, if it is
    still free, their port. Ports are remembered; a taken default is replaced by a free one. Of a
    cell.json that exists, the broker's address alone is rewritten.

    Raises:
        StartFailedError, FetchFailedError, WrongHashError, JavaMissingError, CellInvalidError.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.home / "stack.lock"):
        state = load_state(settings.home)
        state.cells = [*state.cells, *(cell for cell in cells if cell not in state.cells)]
        for name in ("kafka", "spark"):
            ensure_jars(settings.cache, name, say)
        # All are started before the first is waited for: each loads for seconds, beside the others.
        starting: list[Starting] = []
        for number, cell in enumerate(state.cells):
            port = (kafka_port or KAFKA_PORT) + 2 * number
            starting += _up_broker(settings, state, cell, port, say)
        starting += _up_data_docs(settings, state, say)
        starting += _up_dagster(settings, state, web_port or WEB_PORT, workspace, say)
        wait_until_ready(starting)
        return parts.look(settings, state)


def down(settings: Settings, say: Say) -> None:
    """Stop everything that `up` started, and nothing else. Data stays."""
    if not (settings.home / "stack.json").exists():
        return
    with FileLock(settings.home / "stack.lock"):
        state = load_state(settings.home)
        brokers = [name for name in state.processes if name.startswith("kafka")]
        others = [name for name in state.processes if name not in brokers]
        # Dagster first: its runs end at a commit boundary while their broker still answers.
        for names in (others, brokers):
            for name in names:
                if state.processes[name].alive:
                    say(f"stopping {name}")
            family = [member for name in names for member in state.processes.pop(name).family()]
            end([*family, *_strays(state)], BROKER_STOP_S if names is brokers else DAGSTER_STOP_S)
            state.save(settings.home)


def status(settings: Settings) -> tuple[Part, ...]:
    """Return how every part is; none if the stack was never started."""
    return parts.look(settings, load_state(settings.home))


def cells(settings: Settings) -> tuple[str, ...]:
    """Return the cells that the stack runs a broker for."""
    return tuple(load_state(settings.home).cells)


def _up_broker(
    settings: Settings, state: StackState, cell: str, default_port: int, say: Say
) -> Iterator[Starting]:
    name = broker_name(cell)
    if _answers(state, name, lambda: parts.broker_of(settings, state, cell).is_ready()):
        return
    _stop(state, name)
    _keep_or_choose(state, name, default_port)
    _keep_or_choose(state, f"{name}-controller", default_port + 1)
    say(f"starting {name} on port {state.ports[name]}")
    broker = parts.broker_of(settings, state, cell)
    save_cell(settings.home, _configured(settings, cell, broker.bootstrap_servers))
    yield _keep(settings, state, name, broker.launch())


def _configured(settings: Settings, name: str, bootstrap_servers: str) -> Cell:
    try:
        return replace(load_cell(settings.home, name), bootstrap_servers=bootstrap_servers)
    except CellNotFoundError:
        return embedded_cell(settings.home, name, bootstrap_servers)


def _up_data_docs(settings: Settings, state: StackState, say: Say) -> Iterator[Starting]:
    if _answers(state, DATA_DOCS, lambda: data_docs.is_serving(state.ports[DATA_DOCS])):
        return
    _stop(state, DATA_DOCS)
    port = _keep_or_choose(state, DATA_DOCS, DATA_DOCS_PORT)
    say(f"starting {DATA_DOCS} on port {port}")
    log = parts.log_path(settings, DATA_DOCS)
    environment = {**os.environ, TOKEN: state.token}
    started = data_docs.launch_data_docs(settings.home, port, log, environment)
    yield _keep(settings, state, DATA_DOCS, started)


def _up_dagster(
    settings: Settings, state: StackState, default_port: int, workspace: Path, say: Say
) -> Iterator[Starting]:
    dagster_home = settings.home / "dagster"
    environment = {
        # A launch waits for the run's process, which on a busy machine loads code for over a minute.
        "DAGSTER_GRPC_TIMEOUT_SECONDS": "600",
        **os.environ,
        "DAGSTER_HOME": str(dagster_home),
        "HEADWATER_HOME": str(settings.home),
        "HEADWATER_CONTRACTS": str(settings.contracts),
        "HEADWATER_CACHE": str(settings.cache),
        "HEADWATER_DATA_DOCS": parts.address(state.ports[DATA_DOCS]),
        # A code server waits for calls under way before it ends, a minute long by default.
        "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": "1",
        TOKEN: state.token,
    }
    dagster.prepare(dagster_home)
    if not _answers(state, WEBSERVER, lambda: dagster.is_serving(state.ports[WEBSERVER])):
        _stop(state, WEBSERVER)
        port = _keep_or_choose(state, WEBSERVER, default_port)
        say(f"starting {WEBSERVER} on port {port}")
        log = parts.log_path(settings, WEBSERVER)
        started = dagster.launch_webserver(port, workspace, log, environment)
        yield _keep(settings, state, WEBSERVER, started)
        if not dagster.is_storage_made(dagster_home):
            # Two processes that make Dagster's storage at once leave it broken.
            wait_until_ready([started])
    dagster.mark_storage_made(dagster_home)
    if not _runs(state, DAEMON):
        say(f"starting {DAEMON}")
        log = parts.log_path(settings, DAEMON)
        state.processes[DAEMON] = dagster.start_daemon(workspace, log, environment)
        state.save(settings.home)


def _keep(settings: Settings, state: StackState, name: str, starting: Starting) -> Starting:
    """Remember a process before it answers: should this command be killed, the next one finds it."""
    state.processes[name] = starting.process
    state.save(settings.home)
    return starting


def _answers(state: StackState, name: str, is_ready: Callable[[], bool]) -> bool:
    """Tell whether a part runs and answers, if late: a busy machine is no reason to start it anew."""
    deadline = time.monotonic() + LATE_ANSWER_S
    while _runs(state, name):
        if is_ready():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return False


def _runs(state: StackState, name: str) -> bool:
    return name in state.processes and state.processes[name].alive


def _stop(state: StackState, name: str) -> None:
    if name in state.processes:
        state.processes.pop(name).stop()


def _keep_or_choose(state: StackState, name: str, default: int) -> int:
    others = [port for part, port in state.ports.items() if part != name]
    state.ports[name] = free_port(state.ports.get(name, default), avoid=others)
    return state.ports[name]


def _strays(state: StackState) -> list[psutil.Process]:
    """Return the processes whose parent, a part of this stack, was killed: code servers and runs."""
    strays = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.environ().get(TOKEN) == state.token:
                strays.append(process)
    return strays
