"""The contestants: one a file, all of the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from benchmarks.hourly.prepare import SESSIONS
from pipeline.cells import Cell

NAMES = ("headwater", "headwater_without_comet", "spark_sql", "duckdb_sql")
TABLES = ("content_engagement_hourly", SESSIONS, "user_preference_features")
"""What each builds the hour of, in this order."""
SQL = Path(__file__).parents[1] / "sql"


@dataclass(frozen=True)
class Guarantees:
    """What a contestant promises of the hour.

    Attributes:
        whole: what a reader sees meanwhile, and after a crash.
        audited: what is checked before readers see it.
        late: how rows that come later get in.
        known: whether it can be told later what was known when.
    """

    whole: str
    audited: str
    late: str
    known: str


class Runner(Protocol):
    """A contestant in its process. `run` is called for a small cell, then for the real one."""

    def run(self, cell: Cell) -> Mapping[str, Any]:
        """Build the hour of every table; return its own figures, if it has any."""

    def close(self) -> None:
        """Let go of everything, other processes included."""


class Contestant(Protocol):
    """What each module of this package has.

    Attributes:
        TITLE: its name for readers.
        GUARANTEES: what it promises.
    """

    TITLE: str
    GUARANTEES: Guarantees

    def start(self, cell: Cell, hour: datetime) -> Runner:
        """Start what it needs, in its own process."""

    def files(self, cell: Cell, hour: datetime) -> dict[str, list[str]]:
        """Return, by table, the Parquet files that hold the hour's rows and no others."""


def contestant(name: str) -> Contestant:
    """Return the module of a contestant.

    Raises:
        ModuleNotFoundError: there is none of that name.
    """
    return cast(Contestant, import_module(f"{__name__}.{name}"))


def statement(dialect: str, table: str, **names: object) -> str:
    """Return the SQL of one table with `names` filled in."""
    return (SQL / dialect / f"{table}.sql").read_text().format(**names)
