"""Reading the layers, the highest first: the environment, headwater.toml, cell.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.config.environment import read_environment
from pipeline.config.examine import examine
from pipeline.config.files import cells_with_files, read_cell_file, read_config_file
from pipeline.config.layer import Fault, Layer
from pipeline.config.model import CellSection, Configuration, merged
from pipeline.config.names import CONFIG, CONFIG_FILE, REFERRING, TABLES
from pipeline.config.project import find_project
from pipeline.config.reference import SecretUnreadableError, read_secrets, unreadable
from pipeline.config.secret_text import marked

_CELLS = "cells"


@dataclass(frozen=True)
class Reading:
    """Layers as they were read.

    Attributes:
        layers: the highest first.
        faults: of all of them; harmless ones among them.
    """

    layers: tuple[Layer, ...]
    faults: tuple[Fault, ...]

    @property
    def grave(self) -> tuple[Fault, ...]:
        """The faults that keep the settings from being used."""
        return tuple(fault for fault in self.faults if not fault.harmless)

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells that any layer names, by name."""
        found = (layer.tree.get(_CELLS) for layer in self.layers)
        return tuple(
            sorted({name for cells in found if isinstance(cells, Mapping) for name in cells})
        )

    def configuration(self) -> Configuration:
        """Return the settings.

        Raises:
            pydantic.ValidationError: there are grave faults.
        """
        return merged(self.layers)


@dataclass(frozen=True)
class CellReading:
    """What the layers say of one cell.

    Attributes:
        section: its settings; None where there are faults.
        faults: of the cell's settings, and of files that cannot be read.
        is_known: some layer names it.
    """

    section: CellSection | None
    faults: tuple[Fault, ...]
    is_known: bool

    def with_secrets(self, cell: str, environment: Mapping[str, str]) -> CellReading:
        """Return it with secrets in place of what refers to them.

        Raises:
            SecretUnreadableError: one is not there.
        """
        if self.section is None:
            return self
        found: dict[str, Any] = {}
        for subject, settings in self._of_clients(cell):
            found[subject.rpartition(".")[2]] = read_secrets(settings, subject, environment)
        for name, uri in found.pop(cell).items():
            # Of an address only the login is not shown.
            found[name] = marked("", str(uri)) if uri else None
        return replace(self, section=self.section.model_copy(update=found))

    def unreadable_secrets(
        self, cell: str, environment: Mapping[str, str]
    ) -> tuple[SecretUnreadableError, ...]:
        """Return an error for each secret that is not there."""
        tables = self._of_clients(cell) if self.section else ()
        return tuple(one for name, table in tables for one in unreadable(table, name, environment))

    def _of_clients(self, cell: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield tables whose settings may refer to secrets, by dotted name."""
        yield f"{_CELLS}.{cell}", {name: getattr(self.section, name, None) for name in REFERRING}
        for table in TABLES:
            yield f"{_CELLS}.{cell}.{table}", getattr(self.section, table)


def read_all(environment: Mapping[str, str], home: Path) -> Reading:
    """Read every setting, of all cells that a layer names."""
    layers, faults = _upper(environment, home)
    for cell in cells_with_files(home):
        layer, found = read_cell_file(home, cell)
        layers.append(layer)
        faults += found
    return Reading(tuple(layers), (*faults, *(one for layer in layers for one in examine(layer))))


def read_platform(environment: Mapping[str, str], home: Path) -> Reading:
    """Read the settings that are no cell's: what is wrong with a cell is not looked for."""
    layers, faults = _upper(environment, home)
    own = [_only(layer, {name for name in layer.tree if name != _CELLS}) for layer in layers]
    kept = (fault for fault in faults if not fault.key.startswith(_OF_CELLS))
    return Reading(tuple(own), (*kept, *(one for layer in own for one in examine(layer))))


def read_cell(environment: Mapping[str, str], home: Path, cell: str) -> CellReading:
    """Read the settings of one cell: what is wrong with others is not looked for."""
    layers, faults = _upper(environment, home)
    layer, found = read_cell_file(home, cell)
    mine = [_only_cell(one, cell) for one in (*layers, layer)]
    of_others = [fault for fault in faults if fault.key.startswith(_OF_CELLS)]
    of_cell = f"{_OF_CELLS[0]}{cell.upper()}__"
    faults = [one for one in faults if one not in of_others or one.key.startswith(of_cell)]
    faults = [*(one for one in faults if not one.harmless), *found]
    faults += [one for layer in mine for one in examine(layer)]
    is_known = any(one.tree for one in mine)
    section = merged(mine).cells.get(cell, CellSection()) if not faults else None
    return CellReading(section, tuple(faults), is_known)


def config_file(environment: Mapping[str, str], home: Path) -> Path:
    """Return where headwater.toml is: as the environment says, in the home, in the project; or would be."""
    if named := environment.get(CONFIG):
        return Path(named).absolute()
    of_home, of_project = home / CONFIG_FILE, find_project() / CONFIG_FILE
    return of_project if of_project.is_file() and not of_home.is_file() else of_home


_OF_CELLS = ("HEADWATER_CELLS__",)


def own_brokers(environment: Mapping[str, str], home: Path, cell: str) -> str | None:
    """Return where the environment or headwater.toml say that a cell's brokers are; None where neither does.

    Raises:
        pydantic.ValidationError: what they say of the cell is not valid.
    """
    layers, _ = _upper(environment, home)
    for layer in layers:
        section = merged([_only_cell(layer, cell)]).cells.get(cell, CellSection())
        if section.bootstrap_servers is not None:
            return section.bootstrap_servers
    return None


def _upper(environment: Mapping[str, str], home: Path) -> tuple[list[Layer], list[Fault]]:
    of_environment, faults = read_environment(environment)
    path = config_file(environment, home)
    of_file, more = read_config_file(path)
    if environment.get(CONFIG) and not path.exists():
        remedy = "Write it, or unset the variable."
        more = (Fault("environment", CONFIG, f"names {path}, which is not there.", remedy),)
    of_project = find_project() / CONFIG_FILE
    if not environment.get(CONFIG) and path != of_project and of_project.is_file():
        remedy = "Put both into one of the two."
        more = (
            *more,
            Fault(str(of_project), "", f"is not read: {path} is.", remedy, harmless=True),
        )
    return [of_environment, of_file], [*faults, *more]


def _only(layer: Layer, names: set[str]) -> Layer:
    return replace(layer, tree={name: layer.tree[name] for name in names})


def _only_cell(layer: Layer, cell: str) -> Layer:
    cells: Any = layer.tree.get(_CELLS)
    if not isinstance(cells, Mapping):
        return _only(layer, {_CELLS} & {*layer.tree})
    return replace(layer, tree={_CELLS: {cell: cells[cell]}} if cell in cells else {})
