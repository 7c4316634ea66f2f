"""Asking for dead letters, in this process and by whole commands, with a clock around each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.look.listing import count_letters, list_letters
from pipeline.dead_letters.read import load_letter_tables
from pipeline.dead_letters.selection import Selection

NEWEST = 50
"""What a list shows, as the command does."""
LIST, COUNT, COUNT_BY_PRODUCER = "list", "count", "count by producer"
LIST_COMMAND, COUNT_COMMAND = "headwater dead-letters list", "headwater dead-letters count"
COMMANDS = (LIST_COMMAND, COUNT_COMMAND)


@dataclass(frozen=True)
class Query:
    """Seconds of each time that dead letters were asked for, `when` all were open or all replayed."""

    name: str
    when: str
    seconds: tuple[float, ...]


def queries(
    home: Path, cell: Cell, product: Product, when: str, times: int, commands: int
) -> list[Query]:
    """Ask `times` times each, and by `commands` commands of each kind; once before that is not counted.

    `home` is where the cell is configured.

    Raises:
        subprocess.CalledProcessError: a command failed.
    """

    def listed() -> object:
        return list_letters(load_letter_tables(cell, product), Selection(), NEWEST)

    def counted() -> object:
        return count_letters(load_letter_tables(cell, product), Selection(), ("fate", "reason"))

    def counted_by_producer() -> object:
        return count_letters(load_letter_tables(cell, product), Selection(), ("producer",))

    asked = {LIST: listed, COUNT: counted, COUNT_BY_PRODUCER: counted_by_producer}
    run = {name: partial(_run, name, home, cell, product) for name in COMMANDS}
    return [
        *(_asked(name, when, ask, times) for name, ask in asked.items()),
        *(_asked(name, when, ask, commands) for name, ask in run.items()),
    ]


def _asked(name: str, when: str, ask: Callable[[], object], times: int) -> Query:
    # What is imported and compiled is there from then on.
    ask()
    return Query(name, when, tuple(_seconds(ask) for _ in range(times)))


def _seconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _run(command: str, home: Path, cell: Cell, product: Product) -> None:
    words = command.split()[1:]
    subprocess.run(
        [sys.executable, "-m", "headwater.cli.main", *words, product.name, "--cell", cell.name],
        env={
            **os.environ,
            "HEADWATER_HOME": str(home),
            "HEADWATER_CONTRACTS": str(product.folder.parent),
            # Even where the environment forbids it: modules are compiled once, as a user's are.
            "PYTHONDONTWRITEBYTECODE": "",
        },
        stdout=subprocess.DEVNULL,
        check=True,
    )
