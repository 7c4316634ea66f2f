"""The contestants: one a file, all of the same shape."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from benchmarks.ingest.work import Topic, Work

NAMES = ("headwater", "headwater_on_s3", "spark_streaming", "kafka_connect", "loop", "dlt_arrow")
JARS = Path(__file__).parents[2] / "jars.lock"
"""The peers' jars, pinned by hash."""


@dataclass(frozen=True)
class Guarantees:
    """What a contestant promises about its table.

    Attributes:
        exactly_once: what makes every record one row through crashes; "" where nothing does.
        duplicates: what it does with a record whose uuid is there already.
        bad_records: what becomes of a record that cannot be decoded or breaks a rule.
        ledger: how it accounts for every offset.
    """

    exactly_once: str
    duplicates: str
    bad_records: str
    ledger: str


class Runner(Protocol):
    """A contestant in its process. `run` is called for the warm-up topic, then for the real one."""

    def run(self, topic: Topic, table: str) -> None:
        """Work off the topic as it is now, from its first offset; return after the last commit."""

    def close(self) -> None:
        """Let go of everything, other processes included."""


class Contestant(Protocol):
    """What each module of this package has.

    Attributes:
        TITLE: its name for readers.
        VARIANTS: its ways to run, by name, each with a title of its own ("" adds nothing).
        SHARE: of a size's events, how many it is given: rates are compared, and the slow get fewer.
    """

    TITLE: str
    VARIANTS: dict[str, str]
    SHARE: float

    def guarantees(self, variant: str) -> Guarantees:
        """Return what that variant promises."""

    def ready(self, say: Callable[[str], None]) -> str:
        """Fetch what it needs; return why it cannot run here, or ""."""

    def python(self) -> Path:
        """Return the interpreter that it runs in."""

    def files(self, work: Work) -> tuple[list[str], str]:
        """Return the data files of the topic's table, and the name of its column of uuids."""

    def start(self, work: Work) -> Runner:
        """Start what it needs, in its own process: sessions, JVMs, connections."""


def contestant(name: str) -> Contestant:
    """Return the module of a contestant.

    Raises:
        ModuleNotFoundError: there is none of that name, or it needs another interpreter.
    """
    return cast(Contestant, import_module(f"{__name__}.{name}"))


def this_python() -> Path:
    """Return the project's own interpreter."""
    return Path(sys.executable)


def chosen(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return (name, variant) of each `name` (all of its variants) or `name:variant`.

    Raises:
        ValueError: there is no such contestant or variant.
    """
    found = []
    for asked in names:
        name, _, variant = asked.partition(":")
        if name not in NAMES:
            raise ValueError(f"no contestant {name}; there are {', '.join(NAMES)}")
        variants = contestant(name).VARIANTS
        if variant and variant not in variants:
            raise ValueError(f"{name} has no variant {variant}; it has {', '.join(variants)}")
        found += [(name, each) for each in ([variant] if variant else variants)]
    return found
