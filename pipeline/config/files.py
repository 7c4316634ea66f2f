"""headwater.toml and cell.json as layers."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.config.layer import Fault, Layer, Origin, normal, normal_table
from pipeline.config.names import CELL_FILE

PATHS = ("contracts", "cache")
"""Of headwater.toml: from the file's own folder on, where they are not absolute."""


def read_config_file(path: Path) -> tuple[Layer, tuple[Fault, ...]]:
    """Return what headwater.toml says, nothing where there is none."""
    document, faults = _read(path, tomllib.loads)
    for name in PATHS:
        if isinstance(document.get(name), str):
            document[name] = str(path.parent / Path(document[name]).expanduser())
    return Layer(Origin.CONFIG_FILE, str(path), normal(document)), faults


def read_cell_file(home: Path, cell: str) -> tuple[Layer, tuple[Fault, ...]]:
    """Return what the cell's cell.json says, nothing where there is none."""
    path = home / "cells" / cell / CELL_FILE
    document, faults = _read(path, json.loads)
    named = document.pop("name", cell)
    if named != cell:
        remedy = f"Write {cell}, which is its folder's name."
        faults = (*faults, Fault(str(path), "name", "is another cell's.", remedy))
    written = {("cells", cell, *key): ".".join(key) for key in _keys(document)}
    tree = {"cells": {cell: normal_table(document)}} if path.exists() else {}
    return Layer(Origin.CELL_JSON, str(path), tree, written), faults


def cells_with_files(home: Path) -> tuple[str, ...]:
    """Return the cells that have a cell.json, by name."""
    return tuple(sorted(file.parent.name for file in (home / "cells").glob(f"*/{CELL_FILE}")))


def _keys(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    layer = Layer(Origin.CELL_JSON, "", normal_table(document))
    return [*((name,) for name in document), *(key for key, _ in layer.leaves())]


def _read(path: Path, parse: Callable[[str], Any]) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    try:
        document = parse(path.read_text())
    except FileNotFoundError:
        return {}, ()
    except OSError as error:
        return {}, (Fault(str(path), "", f"cannot be read ({error.strerror}).", "Let it be read."),)
    except ValueError as error:
        # Of neither parser does the message hold more of the text than a single letter.
        return {}, (Fault(str(path), "", f"cannot be read ({error}).", "Correct it."),)
    if not isinstance(document, dict):
        return {}, (Fault(str(path), "", "is not an object.", "Write settings by name."),)
    return document, ()
