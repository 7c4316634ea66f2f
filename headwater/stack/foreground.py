"""One part of the stack in the foreground, where systemd or a container keeps it running."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from headwater.stack.code_servers.launch import code_server_command
from headwater.stack.code_servers.workspace import Workspace
from headwater.stack.dagster.instance import prepare
from headwater.stack.dagster.launch import daemon_command, webserver_command
from headwater.stack.dagster.storage import VARIABLE, check_storage
from headwater.stack.defaults import CODE_SERVER_PORT
from headwater.stack.ports import LOOPBACK, Address
from pipeline.errors import TerminalError
from pipeline.files import write_atomically
from pipeline.settings import Settings


class LocationNotFoundError(TerminalError):
    """The workspace lists no code location of that name."""


@dataclass(frozen=True)
class Serving:
    """What this process is to become.

    Attributes:
        environment: all of it, the address of Dagster's storage with its password among it.
        workspace: the file that Dagster reads its locations from, and its text; None where it reads none.
        is_of_dagster: whether it needs Dagster's home.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    workspace: tuple[Path, str] | None = None
    is_of_dagster: bool = True


@dataclass(frozen=True)
class DagsterServing:
    """Plans Dagster's parts, each in a process, a container or on a machine of its own. Pure.

    Attributes:
        environment: as `process_environment` returns it.
        elsewhere: where locations are served; those that are not named, on loopback from port 4000 on, in the
            order of the workspace.
    """

    settings: Settings
    workspace: Workspace
    environment: Mapping[str, str] = field(repr=False)
    elsewhere: Mapping[str, Address] = field(default_factory=dict)

    def code_server(self, name: str, listen: Address | None) -> Serving:
        """Plan the server of a location, which runs what the location launches.

        Raises:
            LocationNotFoundError: there is none of that name.
        """
        self._locate(name)
        location = next(one for one in self.workspace.locations if one.name == name)
        command = code_server_command(location, listen or self.addresses()[name], self.settings)
        return Serving(tuple(command), self.environment)

    def webserver(self, listen: Address) -> Serving:
        """Plan the UI; raises as `code_server`, of the locations that are elsewhere."""
        file = self._workspace_file("webserver")
        command = webserver_command(listen, file[0], self._code(), self.settings)
        return Serving(tuple(command), self.environment, file)

    def daemon(self, webserver: Address) -> Serving:
        """Plan the daemon, which waits for the webserver: two that make the storage at once break it."""
        file = self._workspace_file("daemon")
        after = (*self._code(), f"web:{webserver}")
        return Serving(tuple(daemon_command(file[0], after, self.settings)), self.environment, file)

    def addresses(self) -> dict[str, Address]:
        """Return where each location is served."""
        for name in self.elsewhere:
            self._locate(name)
        found = {
            one.name: Address(LOOPBACK, CODE_SERVER_PORT + number)
            for number, one in enumerate(self.workspace.locations)
        }
        return {**found, **self.elsewhere}

    def _code(self) -> tuple[str, ...]:
        return tuple(f"code:{address}" for address in self.addresses().values())

    def _workspace_file(self, part: str) -> tuple[Path, str]:
        # Not the one of `headwater up`, which restarts what it started where that changes.
        path = self.settings.home / "dagster" / f"workspace-{part}.yaml"
        return path, self.workspace.served(self.addresses())

    def _locate(self, name: str) -> None:
        names = [one.name for one in self.workspace.locations]
        if name not in names:
            raise LocationNotFoundError(
                f"the workspace lists {', '.join(names) or 'none'}.",
                subject=f"code location {name}",
                remedy="Name one of these, or add it to workspace.yaml.",
            )


def module_serving(environment: Mapping[str, str], module: str, *arguments: str) -> Serving:
    """Plan a part that is a module of ours."""
    return Serving((sys.executable, "-m", module, *arguments), environment, is_of_dagster=False)


def become(serving: Serving, settings: Settings) -> NoReturn:
    """Replace this process by what is planned, so that signals and its end are that process's own.

    Raises:
        StorageUnavailableError, StorageRefusedError: of Dagster's storage.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    if serving.is_of_dagster:
        uri = serving.environment.get(VARIABLE)
        if uri:
            check_storage(uri)
        prepare(settings.home / "dagster", in_postgresql=bool(uri))
    if serving.workspace is not None:
        path, text = serving.workspace
        write_atomically(path, text)
    os.chdir(settings.project)
    os.execve(serving.arguments[0], serving.arguments, dict(serving.environment))  # noqa: S606
