"""The project that a process works in: where settings, contracts and the home are by default."""

from __future__ import annotations

from pathlib import Path

from pipeline.config.names import CONFIG_FILE

SOURCE = Path(__file__).resolve().parents[2]
"""The folder that this code is in: a checkout, or where a wheel was installed."""
IS_CHECKOUT = (SOURCE / "pyproject.toml").exists()


def find_project(working: Path | None = None) -> Path:
    """Return the project's folder: the nearest at or above `working` that has a headwater.toml.

    `working` is this process's folder by default. A home that has such a file is no project. Where there is
    none it is the checkout that this code is of, or else `working`.
    """
    working = working or _working()
    for folder in (working, *working.parents):
        if (folder / CONFIG_FILE).is_file() and not _is_home(folder):
            return folder
    return SOURCE if IS_CHECKOUT else working


def _is_home(folder: Path) -> bool:
    return (folder / "cells").is_dir() or (folder / "stack.json").exists()


def _working() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        # Somebody has deleted it under a process that goes on.
        return SOURCE
