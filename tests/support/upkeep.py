"""Maintenance in a process of its own, round after round, until it is killed."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.attempts import Attempt

PAUSE_S = 1.0
ROUND = "A round is done.\n"

_context = multiprocessing.get_context("forkserver")


@contextmanager
def upkeep(cell: Cell, product: Product, *, asked: bool) -> Iterator[Callable[[], int]]:
    """Maintain `product`'s tables beside the block, if `asked`; SIGKILL whoever does it at the end.

    Yields a function that returns how many rounds were done.

    Raises:
        AttemptFailedError: maintenance itself failed.
    """
    if not asked:
        yield lambda: 0
        return
    handle, name = tempfile.mkstemp(prefix="upkeep-", dir=cell.root)
    os.close(handle)
    said = Path(name)
    process = _context.Process(target=_maintain, args=(cell, product, said), daemon=True)
    process.start()
    attempt = Attempt(process, said)
    try:
        yield lambda: said.read_text().count(ROUND)
        attempt.kill_after(0)
    finally:
        attempt.end()


def _maintain(cell: Cell, product: Product, said: Path) -> None:
    try:
        while True:
            for name in (dead_letters_table(product.name), events_table(product.name)):
                load_table(cell, name).delete("_offset < 0")
                transaction = load_table(cell, name).transaction()
                with transaction.update_snapshot().fast_append():
                    pass
                transaction.commit_transaction()
            _say(said, ROUND)
            time.sleep(PAUSE_S)
    except BaseException:
        _say(said, traceback.format_exc())
        raise


def _say(said: Path, text: str) -> None:
    with said.open("a") as file:
        file.write(text)
