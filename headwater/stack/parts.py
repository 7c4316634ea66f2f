"""The parts of the stack, and whether each is well."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headwater.schema_registry import launch as schema_registry
from headwater.stack import data_docs
from headwater.stack.broker import KafkaBroker
from headwater.stack.code_servers.launch import is_serving as is_code_served
from headwater.stack.dagster import launch as dagster
from headwater.stack.ports import LOOPBACK, Address
from headwater.stack.state import StackState
from pipeline.jars import locked_jars
from pipeline.settings import Settings

WEBSERVER = "dagster-webserver"
DAEMON = "dagster-daemon"
DATA_DOCS = "data-docs"
_CODE_SERVER = "code-server-"


@dataclass(frozen=True)
class Part:
    """One part as it is now. `pid` is None where it does not run."""

    name: str
    address: str | None
    pid: int | None
    log: Path
    healthy: bool


def broker_name(cell: str) -> str:
    """Return the name of a cell's broker among the parts."""
    return f"kafka-{cell}"


def schema_registry_name(cell: str) -> str:
    """Return the name of a cell's schema registry among the parts."""
    return f"schema-registry-{cell}"


def code_server_name(location: str) -> str:
    """Return the name of a code location's server among the parts."""
    return f"{_CODE_SERVER}{location}"


def code_servers(state: StackState) -> list[str]:
    """Return the names of all code servers that were ever started, and are still wanted."""
    return [name for name in state.ports if name.startswith(_CODE_SERVER)]


def address(port: int) -> str:
    """Return where a part that speaks HTTP answers."""
    return Address(LOOPBACK, port).url


def log_path(settings: Settings, part: str) -> Path:
    """Return where a part logs."""
    return settings.logs / f"{part}.log"


def broker_of(settings: Settings, state: StackState, cell: str) -> KafkaBroker:
    """Return the broker of `cell` on the ports that `state` has for it."""
    name = broker_name(cell)
    return KafkaBroker(
        root=settings.home / "cells" / cell / "kafka",
        jars=[jar.path(settings.cache) for jar in locked_jars("kafka")],
        port=state.ports[name],
        controller_port=state.ports[f"{name}-controller"],
        log=log_path(settings, name),
    )


def look(settings: Settings, state: StackState) -> tuple[Part, ...]:
    """Ask every part that was ever started how it is."""
    parts = []
    for cell in state.cells:
        if broker_name(cell) not in state.ports:
            # It has brokers of its user's own.
            continue
        broker = broker_of(settings, state, cell)
        pid = _pid(state, broker_name(cell))
        healthy = pid is not None and broker.is_ready()
        parts.append(Part(broker_name(cell), broker.bootstrap_servers, pid, broker.log, healthy))
    registries = [(schema_registry_name(cell), schema_registry.is_serving) for cell in state.cells]
    of_all = [(DATA_DOCS, data_docs.is_serving), (WEBSERVER, dagster.is_serving)]
    for name, is_serving in (*registries, *of_all):
        if name in state.ports:
            port, pid = state.ports[name], _pid(state, name)
            healthy = pid is not None and is_serving(port)
            parts.append(Part(name, address(port), pid, log_path(settings, name), healthy))
    for name in code_servers(state):
        port, pid = state.ports[name], _pid(state, name)
        healthy = pid is not None and is_code_served(port)
        parts.append(Part(name, f"127.0.0.1:{port}", pid, log_path(settings, name), healthy))
    if WEBSERVER in state.ports:
        pid = _pid(state, DAEMON)
        parts.append(Part(DAEMON, None, pid, log_path(settings, DAEMON), pid is not None))
    return tuple(parts)


def _pid(state: StackState, name: str) -> int | None:
    process = state.processes.get(name)
    return process.pid if process is not None and process.alive else None
