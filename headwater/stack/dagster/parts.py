"""Starting the stack's Dagster: a code server a location, then the webserver and the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from headwater.stack import parts
from headwater.stack.code_servers.launch import is_serving, launch_code_server
from headwater.stack.code_servers.workspace import read_workspace
from headwater.stack.dagster import launch
from headwater.stack.dagster.instance import prepare, process_environment
from headwater.stack.dagster.storage import VARIABLE
from headwater.stack.parts import DAEMON, DATA_DOCS, WEBSERVER
from headwater.stack.ports import LOOPBACK, Address
from headwater.stack.starting import Starting
from headwater.stack.state import StackState
from pipeline.files import write_atomically
from pipeline.settings import Settings


class DagsterParts:
    """Dagster as the parts of one stack; what runs already is left alone."""

    def __init__(
        self,
        settings: Settings,
        state: StackState,
        environment: Mapping[str, str],
        storage_uri: str | None,
        say: Callable[[str], None],
    ) -> None:
        """Start in `environment`, and remember processes and ports in `state`, which has Data Docs' port.

        `storage_uri` is as `storage.storage_uri` returns it.
        """
        self._settings = settings
        self._state = state
        self._storage_uri = storage_uri or ""
        self._say = say
        self._home = settings.home / "dagster"
        self._workspace = self._home / "workspace.yaml"
        docs = settings.data_docs or parts.address(state.ports[DATA_DOCS])
        self._environment = process_environment(settings, environment, self._storage_uri, docs)

    def up_code_servers(self, workspace: Path) -> Iterator[Starting]:
        """Start a server for each location of `workspace`, and yield those to wait for.

        Servers of locations that it no longer lists are ended, and where the list has changed the
        webserver and the daemon, too. Whatever has another storage than it should is ended.

        Raises:
            WorkspaceInvalidError: `workspace` is none.
        """
        self._stop_elsewhere()
        prepare(self._home, in_postgresql=bool(self._storage_uri))
        wanted = read_workspace(workspace)
        names = {
            location.name: parts.code_server_name(location.name) for location in wanted.locations
        }
        for name in parts.code_servers(self._state):
            if name not in names.values():
                self._state.stop(name)
                del self._state.ports[name]
        for location in wanted.locations:
            name = names[location.name]
            if self._is_serving(name):
                continue
            self._state.stop(name)
            port = self._state.choose_port(name, None)
            self._say(f"starting {name} on port {port}")
            log = parts.log_path(self._settings, name)
            started = launch_code_server(location, port, self._settings, log, self._environment)
            yield self._state.keep(self._settings.home, name, started)
        served = wanted.served(
            {at: Address(LOOPBACK, self._state.ports[name]) for at, name in names.items()}
        )
        if not self._workspace.exists() or self._workspace.read_text() != served:
            for name in (WEBSERVER, DAEMON):
                self._state.stop(name)
            write_atomically(self._workspace, served)

    def _stop_elsewhere(self) -> None:
        names = (*parts.code_servers(self._state), WEBSERVER, DAEMON)
        processes = {name: self._state.processes.get(name) for name in names}
        for name, process in processes.items():
            environment = process.environment() if process is not None else {}
            if environment and environment.get(VARIABLE, "") != self._storage_uri:
                self._say(f"stopping {name}: its storage is another now")
                self._state.stop(name)

    def _is_serving(self, name: str) -> bool:
        is_ready = partial(is_serving, self._state.ports.get(name, 0))
        return self._state.answers(name, is_ready)

    def up_webserver_and_daemon(self, web_port: int) -> Iterator[Starting]:
        """Start both, and yield the webserver, to wait for.

        Each runs once the code servers answer, the daemon once the webserver does, too: two processes that
        make Dagster's storage at once leave it broken.
        """
        state, home = self._state, self._settings.home
        servers = [
            f"code:{Address(LOOPBACK, state.ports[name])}" for name in parts.code_servers(state)
        ]
        if not state.answers(WEBSERVER, lambda: launch.is_serving(state.ports[WEBSERVER])):
            state.stop(WEBSERVER)
            port = state.choose_port(WEBSERVER, web_port)
            self._say(f"starting {WEBSERVER} on port {port}")
            log = parts.log_path(self._settings, WEBSERVER)
            started = launch.launch_webserver(
                port, self._workspace, servers, self._settings, log, self._environment
            )
            yield state.keep(home, WEBSERVER, started)
        if not state.runs(DAEMON):
            self._say(f"starting {DAEMON}")
            log = parts.log_path(self._settings, DAEMON)
            after = [*servers, f"web:{Address(LOOPBACK, state.ports[WEBSERVER])}"]
            state.processes[DAEMON] = launch.start_daemon(
                self._workspace, after, self._settings, log, self._environment
            )
            state.save(home)
