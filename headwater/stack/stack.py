"""Starting and stopping the whole stack. Both may be done again at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock

from headwater.schema_registry import launch as schema_registry
from headwater.stack import data_docs, parts
from headwater.stack.dagster.parts import DagsterParts
from headwater.stack.dagster.storage import check_storage, storage_uri
from headwater.stack.defaults import (
    DATA_DOCS_PORT,
    KAFKA_PORT,
    SCHEMA_REGISTRY_PORT,
    WEB_PORT,
    workspace_file,
)
from headwater.stack.jars import ensure_jars, sets_of_cells
from headwater.stack.parts import DATA_DOCS, Part, broker_name, schema_registry_name
from headwater.stack.process import end, inherited_environment
from headwater.stack.starting import Starting, wait_until_ready
from headwater.stack.state import StackState, load_state
from pipeline.cells import load_cell, save_brokers
from pipeline.settings import Settings, own_brokers

TOKEN = "HEADWATER_STACK"  # noqa: S105 - the name of a variable

DAGSTER_STOP_S = 5.0
"""How long Dagster and its runs may take to end: ingest has come to a commit boundary long before.

What is killed then loses nothing: commits are whole, and Dagster keeps what it knows in a database.
"""
BROKER_STOP_S = 20.0

Say = Callable[[str], None]


def up(
    settings: Settings,
    cells: Sequence[str],
    say: Say,
    *,
    kafka_port: int | None = None,
    web_port: int | None = None,
    workspace: Path | None = None,
) -> tuple[Part, ...]:
    """Start what does not run: a broker and a schema registry a cell, Data Docs, code servers, the webserver
    and the daemon.

    Code locations are those of `workspace`, by default the project's workspace.yaml, or else the cell `us`.
    A cell whose brokers or registry are the user's own has none of the stack's; brokers are where the
    environment or headwater.toml name others than those that are started here. Returns the parts' state.

    Parts that run are left alone; those that were killed start again on their data and, if it is
    still free, their port. Ports are remembered; a taken default is replaced by a free one. Of a
    cell.json that exists, the broker's address alone is rewritten.

    Raises:
        StartFailedError, FetchFailedError, WrongHashError, JavaMissingError, CellInvalidError.
        StorageUnavailableError, StorageRefusedError, StorageNotSupportedError: of Dagster's storage; nothing
            was started or stopped.
    """
    uri = storage_uri(settings.home)
    if uri is not None:
        check_storage(uri)
    settings.home.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.home / "stack.lock"):
        state = load_state(settings.home)
        state.cells = [*state.cells, *(cell for cell in cells if cell not in state.cells)]
        environment = {**inherited_environment(settings), TOKEN: state.token}
        for name in ("kafka", *sets_of_cells(settings.home, state.cells)):
            ensure_jars(settings.cache, name, say)
        # All are started before the first is waited for: each loads for seconds, beside the others.
        starting: list[Starting] = []
        for number, cell in enumerate(state.cells):
            port = (kafka_port or KAFKA_PORT) + 2 * number
            starting += _up_broker(settings, state, cell, port, say)
            port = SCHEMA_REGISTRY_PORT + number
            starting += _up_schema_registry(settings, state, cell, port, environment, say)
        starting += _up_data_docs(settings, state, environment, say)
        of_dagster = DagsterParts(settings, state, environment, uri, say)
        starting += of_dagster.up_code_servers(workspace or workspace_file(settings))
        starting += of_dagster.up_webserver_and_daemon(web_port or WEB_PORT)
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
    """Return the cells that the stack runs parts for."""
    return tuple(load_state(settings.home).cells)


def _up_broker(
    settings: Settings, state: StackState, cell: str, default_port: int, say: Say
) -> Iterator[Starting]:
    name = broker_name(cell)
    if _has_own_brokers(settings, state, cell, default_port):
        state.stop(name)
        state.ports.pop(name, None)
        return
    if state.answers(name, lambda: parts.broker_of(settings, state, cell).is_ready()):
        return
    state.stop(name)
    state.choose_port(name, default_port)
    state.choose_port(f"{name}-controller", default_port + 1)
    say(f"starting {name} on port {state.ports[name]}")
    broker = parts.broker_of(settings, state, cell)
    save_brokers(settings.home, cell, broker.bootstrap_servers)
    yield state.keep(settings.home, name, broker.launch())


def _has_own_brokers(settings: Settings, state: StackState, cell: str, default_port: int) -> bool:
    here = f"127.0.0.1:{state.ports.get(broker_name(cell), default_port)}"
    return own_brokers(settings.home, cell) not in (None, here)


def _up_schema_registry(
    settings: Settings,
    state: StackState,
    cell: str,
    default_port: int,
    environment: Mapping[str, str],
    say: Say,
) -> Iterator[Starting]:
    name = schema_registry_name(cell)
    if load_cell(settings.home, cell).schema_registry:
        state.stop(name)
        state.ports.pop(name, None)
        return
    if state.answers(name, lambda: schema_registry.is_serving(state.ports[name])):
        return
    state.stop(name)
    port = state.choose_port(name, default_port)
    say(f"starting {name} on port {port}")
    log = parts.log_path(settings, name)
    started = schema_registry.launch_schema_registry(settings.home, cell, port, log, environment)
    yield state.keep(settings.home, name, started)


def _up_data_docs(
    settings: Settings, state: StackState, environment: Mapping[str, str], say: Say
) -> Iterator[Starting]:
    if state.answers(DATA_DOCS, lambda: data_docs.is_serving(state.ports[DATA_DOCS])):
        return
    state.stop(DATA_DOCS)
    port = state.choose_port(DATA_DOCS, DATA_DOCS_PORT)
    say(f"starting {DATA_DOCS} on port {port}")
    log = parts.log_path(settings, DATA_DOCS)
    started = data_docs.launch_data_docs(settings.home, port, log, environment)
    yield state.keep(settings.home, DATA_DOCS, started)


def _strays(state: StackState) -> list[psutil.Process]:
    """Return the processes whose parent, a part of this stack, was killed: code servers and runs."""
    strays = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.environ().get(TOKEN) == state.token:
                strays.append(process)
    return strays
