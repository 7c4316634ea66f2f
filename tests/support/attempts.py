"""Ingest in processes of their own."""

from __future__ import annotations

from functools import partial

from pipeline.cells import Cell
from pipeline.contract.model import Product
from tests.support.apart import Attempt, AttemptFailedError, start_apart
from tests.support.part import Part, perform


def start(
    cell: Cell, product: Product, *, failpoint: str | None = None, max_records: int = 100
) -> Attempt:
    """Start ingesting `product` until caught up, dying by SIGKILL at `failpoint` (`name:visit`)."""
    return play(cell, product, Part(failpoint=failpoint, max_records=max_records))


def play(cell: Cell, product: Product, part: Part) -> Attempt:
    """Start ingesting `product` as `part` says."""
    return start_apart(cell.root, partial(perform, cell, product, part))


def catch_up(cell: Cell, product: Product, *, max_records: int = 10_000) -> None:
    """Ingest `product` to the end of its topic in a process of its own.

    Raises:
        AttemptFailedError: it did not get there.
    """
    code = start(cell, product, max_records=max_records).wait()
    if code != 0:
        raise AttemptFailedError(f"ended with {code}")
