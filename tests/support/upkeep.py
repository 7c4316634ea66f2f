"""Maintenance in a process of its own, round after round, until it is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from tests.support.apart import start_apart

EAGER = MaintenancePolicy(retain=timedelta(seconds=3), retain_last=3, min_files=3, min_manifests=5)
"""Much to do in each round: what a table has after hours is here after seconds."""
PAUSE_S = 0.5


@contextmanager
def upkeep(cell: Cell, product: Product, *, asked: bool) -> Iterator[Callable[[str], int]]:
    """Maintain `product`'s tables beside the block, if `asked`; SIGKILL whoever does it at the end.

    Yields a function that returns how many `files` were rewritten, `snapshots` expired, and `rounds`
    made.

    Raises:
        AttemptFailedError: maintenance failed, other than by an error that says to try again.
    """
    if not asked:
        yield lambda _: 0
        return
    attempt = start_apart(cell.root, partial(_maintain, cell, product))

    def done(what: str) -> int:
        words = (line.split() for line in attempt.said.read_text().splitlines())
        return sum(int(line[1]) for line in words if line[:1] == [what])

    try:
        yield done
        attempt.kill_after(0)
    finally:
        attempt.end()


def _maintain(cell: Cell, product: Product, said: Path) -> None:
    while True:
        try:
            done = maintain(cell, product, EAGER)
        except RetryableError:
            _say(said, "conflicts 1\n")
        else:
            files, snapshots = sum(d.files for d in done), sum(d.snapshots for d in done)
            _say(said, f"rounds 1\nfiles {files}\nsnapshots {snapshots}\n")
        time.sleep(PAUSE_S)


def _say(said: Path, text: str) -> None:
    with said.open("a") as file:
        file.write(text)
