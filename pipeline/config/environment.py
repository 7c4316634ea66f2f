"""Variables as a layer: `HEADWATER_<TABLE>__<NAME>`, and the names of before there were tables."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.config.layer import Fault, Key, Layer, Origin, normal
from pipeline.config.names import (
    FLAT,
    JOINED,
    NESTED,
    OF_VARIABLES,
    PREFIX,
    REFERRING,
    SECTIONS,
    TABLES,
)
from pipeline.config.openlineage import KAFKA
from pipeline.config.reference import KINDS

WHERE = "environment"
_CELL_PARTS = 3
"""`CELLS`, the cell, and a setting or a table of it."""


def read_environment(environment: Mapping[str, str]) -> tuple[Layer, tuple[Fault, ...]]:
    """Return what the variables of `environment` say; those that are empty say nothing.

    Among the faults are variables of our prefix that mean nothing, which are harmless: somebody else may
    have use for them.
    """
    tree: dict[str, Any] = {}
    written: dict[Key, str] = {}
    faults = []
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX) or name in OF_VARIABLES or not text:
            continue
        # Sorted, a name with tables comes after its flat one, and wins.
        key = FLAT.get(name) or key_of(name)
        if key is None:
            faults.append(_unknown(name))
            continue
        try:
            value = json.loads(text) if _is_json(key) else text
        except ValueError:
            faults.append(_no_json(name))
            continue
        written[key] = name
        _put(tree, key, value)
    return Layer(Origin.ENVIRONMENT, WHERE, normal(tree), written), tuple(faults)


def key_of(name: str) -> Key | None:
    """Return the setting that a variable with tables in its name is; None where it is none."""
    head, *rest = name.removeprefix(PREFIX).split(NESTED)
    section = head.lower()
    if section not in SECTIONS or not all(rest) or not rest:
        return None
    if section != "cells":
        return (section, *(part.lower() for part in rest))
    if len(rest) < _CELL_PARTS - 1:
        return None
    cell, table, *names = rest
    key = (section, cell.lower(), table.lower())
    if not names:
        return key
    if names[-1].lower() in KINDS and (names[1:] or key[-1] in REFERRING):
        *names, kind = names
        above = (_name_in(key[-1], names),) if names else ()
        return (*key, *above, kind.lower())
    return (*key, _name_in(key[-1], names))


def _name_in(table: str, names: Sequence[str]) -> str:
    """Return a client's setting by its own name: all in capitals is all in small letters."""
    small = ".".join(name.lower() if name.isupper() else name for name in names)
    of_kafka = table == "openlineage" and small.startswith(KAFKA)
    return small.replace("_", "." if of_kafka else JOINED.get(table, "."))


def _is_json(key: Key) -> bool:
    if key[0] != "cells":
        return key[1:-1] in [(name,) for name in REFERRING] and key[-1] == "command"
    is_table = len(key) == _CELL_PARTS and key[-1] in TABLES
    if is_table or len(key) <= _CELL_PARTS:
        return is_table
    return len(key) > _CELL_PARTS + (key[2] in TABLES) and key[-1] == "command"


def _put(tree: dict[str, Any], key: Key, value: Any) -> None:
    *tables, name = key
    for table in tables:
        below = tree.setdefault(table, {})
        if not isinstance(below, dict):
            return
        tree = below
    if isinstance(value, dict) and isinstance(tree.get(name), dict):
        value = value | tree[name]
    tree[name] = value


def _unknown(name: str) -> Fault:
    known = [*FLAT, *OF_VARIABLES[:-1], *(f"{PREFIX}{one.upper()}{NESTED}" for one in SECTIONS)]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = (
        f"Did you mean {near[0]}?" if near else "docs/reference/settings.md lists those that are."
    )
    return Fault(WHERE, name, "is no variable of Headwater's.", hint, harmless=True)


def _no_json(name: str) -> Fault:
    remedy = 'Give settings by name, as {"security.protocol": "SSL"}, and a command as ["pass", "show", "x"].'
    return Fault(WHERE, name, "is not JSON.", remedy)
