"""Maintenance in a process of its own, round after round, beside an ingest."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from types import FrameType

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain

POLICY = MaintenancePolicy(retain=timedelta(minutes=2))
"""As usual, but snapshots expire while the benchmark lasts."""


@dataclass(frozen=True)
class Round:
    """One round over a product's tables.

    Attributes:
        lost: it was given up because others' commits came first, or for another passing reason.
        files, into: small files, and what they became.
        snapshots: how many expired.
    """

    seconds: float
    lost: bool
    files: int = 0
    into: int = 0
    snapshots: int = 0


def keep_up(cell: Cell, product: Product, every_s: float, pipe: Connection) -> None:
    """Maintain every `every_s` seconds, telling a `Round` of each, until SIGTERM."""
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send("ready")
    while not stop.wait(every_s):
        began = time.monotonic()
        try:
            done = maintain(cell, product, POLICY)
        except RetryableError:
            pipe.send(Round(time.monotonic() - began, lost=True))
            continue
        pipe.send(
            Round(
                time.monotonic() - began,
                lost=False,
                files=sum(table.files for table in done),
                into=sum(table.into for table in done),
                snapshots=sum(table.snapshots for table in done),
            )
        )
    pipe.close()
