"""Starting and stopping the whole stack. Both may be done again at any time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
from filelock import FileLock

from headwater.stack import dagster, data_docs, parts
from headwater.stack.defaults import DATA_DOCS_PORT, KAFKA_PORT, WEB_PORT, WORKSPACE
from headwater.stack.jars import ensure_jars
from headwater.stack.parts import DAEMON, DATA_DOCS, WEBSERVER, Part, broker_name
from headwater.stack.ports import free_port
from headwater.stack.state import StackState, load_state
from pipeline.cells import Cell, CellNotFoundError, embedded_cell, load_cell, save_cell
from pipeline.settings import Settings

TOKEN = "HEADWATER_STACK"  # noqa: S105 - the name of a variable

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
        for number, cell in enumerate(state.cells):
            _up_broker(settings, state, cell, (kafka_port or KAFKA_PORT) + 2 * number, say)
        _up_data_docs(settings, state, say)
        _up_dagster(settings, state, web_port or WEB_PORT, workspace, say)
        return parts.look(settings, state)


def down(settings: Settings, say: Say) -> None:
    """Stop everything that `up` started, and nothing else. Data stays."""
    if not (settings.home / "stack.json").exists():
        return
    with FileLock(settings.home / "stack.lock"):
        state = load_state(settings.home)
        # Dagster first: its runs end at a commit boundary while their broker still answers.
        names = sorted(state.processes, key=lambda name: name.startswith("kafka"))
        for name in names:
            if name.startswith("kafka"):
                _end_strays(state)
            if state.processes[name].alive:
                say(f"stopping {name}")
            state.processes.pop(name).stop()
            state.save(settings.home)
        _end_strays(state)


def status(settings: Settings) -> tuple[Part, ...]:
    """Return how every part is; none if the stack was never started."""
    return parts.look(settings, load_state(settings.home))


def cells(settings: Settings) -> tuple[str, ...]:
    """Return the cells that the stack runs a broker for."""
    return tuple(load_state(settings.home).cells)


def _up_broker(
    settings: Settings, state: StackState, cell: str, default_port: int, say: Say
) -> None:
    name = broker_name(cell)
    if _runs(state, name) and parts.broker_of(settings, state, cell).is_ready():
        return
    _stop(state, name)
    _keep_or_choose(state, name, default_port)
    _keep_or_choose(state, f"{name}-controller", default_port + 1)
    say(f"starting {name} on port {state.ports[name]}")
    broker = parts.broker_of(settings, state, cell)
    save_cell(settings.home, _configured(settings, cell, broker.bootstrap_servers))
    state.processes[name] = broker.start()
    state.save(settings.home)


def _configured(settings: Settings, name: str, bootstrap_servers: str) -> Cell:
    try:
        return replace(load_cell(settings.home, name), bootstrap_servers=bootstrap_servers)
    except CellNotFoundError:
        return embedded_cell(settings.home, name, bootstrap_servers)


def _up_data_docs(settings: Settings, state: StackState, say: Say) -> None:
    if _runs(state, DATA_DOCS) and data_docs.is_serving(state.ports[DATA_DOCS]):
        return
    _stop(state, DATA_DOCS)
    port = _keep_or_choose(state, DATA_DOCS, DATA_DOCS_PORT)
    say(f"starting {DATA_DOCS} on port {port}")
    log = parts.log_path(settings, DATA_DOCS)
    environment = {**os.environ, TOKEN: state.token}
    state.processes[DATA_DOCS] = data_docs.start_data_docs(settings.home, port, log, environment)
    state.save(settings.home)


def _up_dagster(
    settings: Settings, state: StackState, default_port: int, workspace: Path, say: Say
) -> None:
    dagster_home = settings.home / "dagster"
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(dagster_home),
        "HEADWATER_HOME": str(settings.home),
        "HEADWATER_CONTRACTS": str(settings.contracts),
        "HEADWATER_CACHE": str(settings.cache),
        "HEADWATER_DATA_DOCS": parts.address(state.ports[DATA_DOCS]),
        TOKEN: state.token,
    }
    dagster.prepare(dagster_home)
    if not (_runs(state, WEBSERVER) and dagster.is_serving(state.ports[WEBSERVER])):
        _stop(state, WEBSERVER)
        port = _keep_or_choose(state, WEBSERVER, default_port)
        say(f"starting {WEBSERVER} on port {port}")
        log = parts.log_path(settings, WEBSERVER)
        state.processes[WEBSERVER] = dagster.start_webserver(port, workspace, log, environment)
        state.save(settings.home)
    if not _runs(state, DAEMON):
        say(f"starting {DAEMON}")
        log = parts.log_path(settings, DAEMON)
        state.processes[DAEMON] = dagster.start_daemon(workspace, log, environment)
        state.save(settings.home)


def _runs(state: StackState, name: str) -> bool:
    return name in state.processes and state.processes[name].alive


def _stop(state: StackState, name: str) -> None:
    if name in state.processes:
        state.processes.pop(name).stop()


def _keep_or_choose(state: StackState, name: str, default: int) -> int:
    others = [port for part, port in state.ports.items() if part != name]
    state.ports[name] = free_port(state.ports.get(name, default), avoid=others)
    return state.ports[name]


def _end_strays(state: StackState) -> None:
    """End the processes whose parent, a part of this stack, was killed: code servers and runs."""
    strays = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN) == state.token:
                process.terminate()
                strays.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    _, left = psutil.wait_procs(strays, timeout=15)
    for process in left:
        process.kill()
