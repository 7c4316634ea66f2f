"""Hosts of one cell, as homes of their own: they share Kafka, catalog, warehouse, registry and state."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from pipeline.batch.planning.plan import HoursPlan
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.supervision.locks import batch_lock, hold_lock, ingest_lock
from tests.support.apart import Attempt, start_apart
from tests.support.builds_apart import build_until
from tests.support.counts import COUNTS
from tests.support.failpoints import sleep_at

FOLLOWS_S = 120.0
"""Far more than a lease lasts: a machine may be busy."""
LEASE_S = 3.0
"""How long leases last here, for tests to be short; all that is renewed is so in proportion."""


@dataclass(frozen=True)
class Host:
    """One home of a cell, whose leases last for `lease_s`."""

    name: str
    cell: Cell
    lease_s: float = LEASE_S

    def ingests(
        self,
        product: Product,
        *,
        for_s: float | None = None,
        at: str | None = None,
        wait_s: float = 0,
    ) -> Attempt:
        """Start ingesting under the lock, waited for; for `for_s`, or until caught up.

        It is stopped (SIGSTOP) at the failpoint `at`, until it is woken.
        """
        work = partial(_ingest, self, product, for_s, at, wait_s)
        return start_apart(self.cell.root, work)

    def builds(
        self, product: Product, plan: HoursPlan, failing: Collection[datetime], *, at: str
    ) -> Attempt:
        """Start carrying a plan out under the lock, to be stopped (SIGSTOP) at the failpoint `at`."""
        work = partial(_build, self, product, plan, failing, at)
        return start_apart(self.cell.root, work)


def another_host(name: str, cell: Cell, folder: Path, lease_s: float = LEASE_S) -> Host:
    """Return another home of `cell`, in `folder`."""
    root = folder / name / "cells" / cell.name
    root.mkdir(parents=True)
    return Host(name, replace(cell, root=root), lease_s)


def count_follow(began: float, what: str) -> None:
    """Count the seconds since `began` for the last lines of the run: another host has done what was left."""
    COUNTS["another host had followed"][f"s after {what}"] = round(time.monotonic() - began)


def let_leases_last(lease_s: float) -> None:
    """Let leases of this process last for `lease_s`, from now on."""
    patch = pytest.MonkeyPatch()
    patch.setattr("pipeline.supervision.lease.TTL_S", lease_s)
    patch.setattr("pipeline.supervision.lease.RENEW_S", lease_s / 3)


def _build(
    host: Host,
    product: Product,
    plan: HoursPlan,
    failing: Collection[datetime],
    at: str,
    said: Path,
) -> None:
    let_leases_last(host.lease_s)
    with hold_lock(batch_lock(host.cell, product.name), host.name):
        build_until(host.cell, product, plan, frozenset(failing), at, True, said)


def _ingest(
    host: Host, product: Product, for_s: float | None, at: str | None, wait_s: float, said: Path
) -> None:
    let_leases_last(host.lease_s)
    if at is not None:
        sleep_at(at)
    stop = threading.Event()
    began = time.monotonic()
    with hold_lock(ingest_lock(host.cell, product.name), host.name, wait_s=wait_s):
        said.write_text(f"taken after {time.monotonic() - began:.1f} s\n")
        if for_s is not None:
            timer = threading.Timer(for_s, stop.set)
            timer.daemon = True
            timer.start()
        ingest(host.cell, product, once=for_s is None, stop=stop)
