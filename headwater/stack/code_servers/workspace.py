"""A Dagster workspace of modules and files, as one of code servers that are parts of the stack. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headwater.shadowed import PACKAGES
from headwater.stack.ports import Address
from pipeline.config.project import SOURCE
from pipeline.errors import TerminalError

_OPTIONS = {
    "python_module": ("module_name", "-m"),
    "python_file": ("relative_path", "-f"),
}
"""Kind of entry -> its main key, and the option of `dagster code-server start` that takes it."""


class WorkspaceInvalidError(TerminalError):
    """The workspace file is not one of Dagster's."""


@dataclass(frozen=True)
class Location:
    """A code location that is loaded from Python.

    Attributes:
        arguments: what `dagster code-server start` is told of it.
    """

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Workspace:
    """What a workspace file lists.

    Attributes:
        locations: those that the stack serves.
        others: entries that are left to Dagster, as they stand: servers and packages of somebody else's.
    """

    locations: tuple[Location, ...]
    others: tuple[Mapping[str, Any], ...]

    def served(self, addresses: Mapping[str, Address]) -> str:
        """Return the file that finds each location where it is served; `addresses` are by location."""
        servers = [
            {
                "grpc_server": {
                    "host": addresses[location.name].host,
                    "port": addresses[location.name].port,
                    "location_name": location.name,
                }
            }
            for location in self.locations
        ]
        return yaml.safe_dump({"load_from": [*servers, *self.others]}, sort_keys=False)


def read_workspace(path: Path) -> Workspace:
    """Read a workspace file.

    Raises:
        WorkspaceInvalidError: it cannot be read, or two of its locations share a name.
    """
    try:
        entries: Sequence[Mapping[str, Any]] = yaml.safe_load(path.read_text())["load_from"]
        read = [(entry, _location(entry, path.parent)) for entry in entries]
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise WorkspaceInvalidError(
            f"it is no workspace ({type(error).__name__}: {error}).",
            subject=str(path),
            remedy="It lists code locations under `load_from`, as the project's workspace.yaml does.",
        ) from error
    locations = [location for _, location in read if location is not None]
    names = [location.name for location in locations]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WorkspaceInvalidError(
            f"two of its locations are called {twice}.",
            subject=str(path),
            remedy="Give each a `location_name` of its own.",
        )
    return Workspace(tuple(locations), tuple(entry for entry, found in read if found is None))


def _location(entry: Mapping[str, Any], folder: Path) -> Location | None:
    kind = next((kind for kind in _OPTIONS if kind in entry), None)
    if kind is None:
        return None
    key, option = _OPTIONS[kind]
    stated = entry[kind] if isinstance(entry[kind], dict) else {key: entry[kind]}
    target = str(stated[key])
    named = str(stated.get("location_name") or Path(target).name)
    arguments = [option, str(folder / target) if kind == "python_file" else target]
    if kind == "python_module" and target.partition(".")[0] in PACKAGES:
        # Where Dagster looks first: a project may have a folder of the same name.
        stated = {"working_directory": str(SOURCE), **stated}
    for name, flag in (("attribute", "-a"), ("working_directory", "-d")):
        if name in stated:
            arguments += [flag, str(stated[name])]
    return Location(named, tuple(arguments))
