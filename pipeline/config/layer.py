"""A layer of settings: all that one place says, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pipeline.config.names import REFERRING, TABLES
from pipeline.config.reference import reference
from pipeline.config.secret_text import marked

Key = tuple[str, ...]
Tree = Mapping[str, Any]


class Origin(StrEnum):
    """Where a setting comes from, the lowest first."""

    DEFAULT = "default"
    CELL_JSON = "cell.json"
    CONFIG_FILE = "headwater.toml"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Fault:
    """One thing to put right.

    Attributes:
        where: the file, or `environment`.
        key: the setting as it is written there: its dotted name, or the variable's.
        what: what is wrong, without the value.
        remedy: what to do.
        harmless: nothing is the worse for it but the one who meant something by it.
    """

    where: str
    key: str
    what: str
    remedy: str
    harmless: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: {self.what} {self.remedy}"


@dataclass(frozen=True)
class Layer:
    """What one place says.

    Attributes:
        origin: what kind of place.
        where: which one: a file's path, or `environment`.
        tree: settings by name, in tables; of `kafka`, `schema_registry` and `spark` by dotted name.
        written: keys that are written otherwise there, as variables are.
    """

    origin: Origin
    where: str
    tree: Tree
    written: Mapping[Key, str] = field(default_factory=dict)

    def name(self, key: Key) -> str:
        """Return how the setting, or the table, is written in this place."""
        if key in self.written:
            return self.written[key]
        inside = (name for path, name in self.written.items() if path[: len(key)] == key)
        above = (name for path, name in self.written.items() if key[: len(path)] == path)
        return next(above, None) or next(inside, ".".join(key))

    def leaves(self) -> Iterator[tuple[Key, Any]]:
        """Yield every setting that this place says, with its value."""
        yield from _leaves(self.tree, ())


def _leaves(tree: Tree, above: Key) -> Iterator[tuple[Key, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def normal(tree: dict[str, Any]) -> dict[str, Any]:
    """Return what a place says with tables of cells and of Dagster as `normal_table` has them."""
    cells, dagster = tree.get("cells"), tree.get("dagster")
    found: dict[str, Any] = {}
    if isinstance(cells, Mapping):
        found["cells"] = {name: normal_table(cell) for name, cell in cells.items()}
    if dagster is not None:
        found["dagster"] = normal_table(dagster)
    return {**tree, **found}


def normal_table(table: Any) -> Any:
    """Return a table with its clients' settings by dotted name, and secrets marked.

    A table inside them, as TOML makes of dotted names without quotes, is part of the name, unless it refers
    to a secret.
    """
    if not isinstance(table, Mapping):
        return table
    return {name: _normal(name, value) for name, value in table.items()}


def _normal(name: str, value: Any) -> Any:
    if name in TABLES and isinstance(value, Mapping):
        return {".".join(key): marked(".".join(key), one) for key, one in _dotted(value, ())}
    return (reference(value) if name in REFERRING else None) or marked(name, value)


def _dotted(table: Tree, above: Key) -> Iterator[tuple[Key, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping) and reference(value) is None:
            yield from _dotted(value, (*above, name))
        else:
            yield (*above, name), reference(value) or value
