"""What one ingest process of a test is told to do, and its doing it."""

from __future__ import annotations

import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest
from polars.exceptions import ComputeError

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode, RetryableError
from pipeline.failpoints import arm
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from tests.support.catalog_seam import CatalogSeam
from tests.support.failpoints import sleep_at
from tests.support.fault import Fault, has_bad

LOST = "An answer was lost.\n"
"""What a process writes down at the moment when it is not given an answer."""
RETRIES = "It tries again after {}.\n"
"""What it writes down when ingest tries again, with the error's name."""
GAVE_UP = int(ExitCode.RETRYABLE)
"""How it exits when it may give up, and does."""


@dataclass(frozen=True)
class LostAnswer:
    """The `number`-th commit of a process lands, and it is given `error` in place of an answer."""

    number: int
    error: BaseException


@dataclass(frozen=True)
class Part:
    """What one process is told to do; by default, to ingest until caught up.

    Attributes:
        failpoint: `name:visit` at which it dies by SIGKILL.
        sleeps: at `failpoint` it is stopped (SIGSTOP) instead, until it is woken.
        max_records: most records of one micro-batch.
        lost_answer: a commit of its whose answer is lost.
        for_s: it goes on after it has caught up, waits for what is away, and ends after these seconds.
        may_give_up: an error of ingest that says to try again is no failure.
        fault: a stage of `tests.support.fault` at which it raises ComputeError for rows whose note is BAD.
    """

    failpoint: str | None = None
    sleeps: bool = False
    max_records: int = 100
    lost_answer: LostAnswer | None = None
    for_s: float | None = None
    may_give_up: bool = False
    fault: str | None = None


def perform(cell: Cell, product: Product, part: Part, said: Path) -> None:
    """Play `part` in this process, which must be the part's own; what others are to know is added to `said`.

    Raises:
        What ingest raises.
    """
    patch = pytest.MonkeyPatch()
    stop = threading.Event()
    if part.failpoint is not None:
        (sleep_at if part.sleeps else arm)(part.failpoint)
    if part.lost_answer is not None:
        lost = part.lost_answer
        CatalogSeam(patch).lose_response(lost.number, lost.error, then=lambda: _say(said, LOST))
    if part.fault is not None:
        Fault(patch, part.fault, has_bad, ComputeError("no"))
    if part.for_s is not None:
        timer = threading.Timer(part.for_s, stop.set)
        timer.daemon = True
        timer.start()
    try:
        ingest(
            cell,
            product,
            once=part.for_s is None,
            limits=Limits(max_records=part.max_records),
            stop=stop,
            on_retry=lambda error, _: _say(said, RETRIES.format(type(error).__name__)),
        )
    except RetryableError:
        if part.may_give_up:
            _say(said, traceback.format_exc())
            sys.exit(GAVE_UP)
        raise


def _say(said: Path, text: str) -> None:
    with said.open("a") as file:
        file.write(text)
