"""The contestants: one a file, all of the same shape. Peers run in interpreters of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from benchmarks.backfill.work import Place, Target, Work

if TYPE_CHECKING:
    from pipeline.cells import Cell

OURS, REFERENCE = "headwater", "spark_sql"
YEAR = (REFERENCE, OURS, "dagster", "dbt_spark")
WEEK = ("hour_by_hour", OURS)
"""Who builds which. The first one's rows are those that the others' are held to."""


class Runner(Protocol):
    """A contestant in its process. `run` is called for the warm-up cell, then for the real one."""

    def run(self, place: Place) -> None:
        """Build every hour of every table."""

    def close(self) -> None:
        """Let go of everything, other processes included."""


class Contestant(Protocol):
    """What each module of this package has.

    Attributes:
        TITLE: its name for readers.
        AUDITED: what is checked, and when.
        FAILING: what becomes of the others where one hour fails its audit.
    """

    TITLE: str
    AUDITED: str
    FAILING: str

    def ready(self, say: Callable[[str], None]) -> str:
        """Fetch what it needs; return why it cannot run here, or ""."""

    def python(self) -> Path:
        """Return the interpreter that it runs in."""

    def table(self, cell: Cell, product: str, target: Target) -> str:
        """Return the identifier of the table that holds the rows of `target`."""

    def start(self, work: Work) -> Runner:
        """Start what it needs, in its own process."""


def contestant(name: str) -> Contestant:
    """Return the module of a contestant.

    Raises:
        ModuleNotFoundError: there is none of that name, or it needs another interpreter.
    """
    return cast(Contestant, import_module(f"{__name__}.{name}"))


def nothing_to_fetch(_say: Callable[[str], None]) -> str:
    """Be ready."""
    return ""


def this_python() -> Path:
    """Return the project's own interpreter."""
    return Path(sys.executable)
