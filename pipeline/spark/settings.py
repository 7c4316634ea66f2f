"""Spark's settings as a cell gives them: which may be given, and which are Headwater's to decide."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.cells import Cell
from pipeline.errors import TerminalError

REMOTE = "spark.remote"
JARS = "spark.jars"
MASTER = "spark.master"
CLASS_PATH = "spark.driver.extraClassPath"

_CATALOG = "spark.sql.catalog."
_REFUSED = {
    "spark.wap.id": "each staging has one of its own",
    "spark.wap.branch": "hours are published by cherry-picking, not by branches",
    "spark.submit.deployMode": "the driver runs in the process that builds the hours",
    "spark.api.mode": f"a Spark Connect server is given as {REMOTE}",
}


class SparkSettingError(TerminalError):
    """A Spark setting of the cell cannot be used."""


def spark_settings(cell: Cell, ours: Collection[str]) -> dict[str, str]:
    """Return `cell.spark` as text, under Spark's own dotted names. `ours` are names it may not set.

    A cell that names a Spark Connect server (`spark.remote`) may have `spark.sql.` settings beside
    it and no others: the rest is the server's. Whether Spark knows a setting is not asked.

    Raises:
        SparkSettingError: a name or a value is none of Spark's, or a setting may not be set.
    """
    settings = {}
    for name, value in cell.spark.items():
        if why := _refusal(cell, name, value, ours):
            raise SparkSettingError(
                f"`{name}` cannot be set: {why}.",
                subject=f"cell {cell.name}",
                remedy="Take it out of `spark` in the cell's settings; docs/reference/cell.md tells more.",
            )
        settings[name] = str(value).lower() if isinstance(value, bool) else _text(value)
    return settings


def _text(value: object) -> str:
    """Return a value as text; a secret stays one."""
    return value if isinstance(value, str) else str(value)


def _refusal(cell: Cell, name: str, value: object, ours: Collection[str]) -> str | None:
    own = f"{_CATALOG}{cell.name}."
    if not name.startswith("spark."):
        return "Spark's settings begin with `spark.`"
    if not isinstance(value, str | int | float):
        return "its value is neither text, a number, true nor false"
    if name in ours or name == f"{own}type":
        return "the tables depend on it"
    if name in _REFUSED:
        return _REFUSED[name]
    if name.startswith(_CATALOG) and not name.startswith(own):
        return f"a cell has one catalog, {cell.name}"
    if name == REMOTE and not str(value).startswith("sc://"):
        return "a Spark Connect server's address begins with `sc://`"
    if REMOTE in cell.spark and name != REMOTE and not name.startswith("spark.sql."):
        return f"it belongs to the server that {REMOTE} names"
    return None
