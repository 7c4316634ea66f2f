"""Locks that live exactly as long as the process that holds them.

A lock is a locked file: a free one proves that nobody works on this machine. Where the cell's state is shared
by machines it is a lease there, too, which ends by itself when its holder is lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.cells import Cell
from pipeline.state.leases import LeaseHolder, LeaseStore
from pipeline.state.open import open_state
from pipeline.supervision.file_lock import LockHeldError as LockHeldError
from pipeline.supervision.file_lock import file_holder, hold_file, place_of
from pipeline.supervision.lease import HeldLease, hold_lease


@dataclass(frozen=True)
class Lock:
    """The right to do one thing with a product of a cell.

    Attributes:
        cell: whose; with `state_uri`, of all machines.
        name: what tells it from the cell's others.
    """

    cell: Cell
    name: str

    @property
    def path(self) -> Path:
        """Its file on this machine."""
        return self.cell.locks / f"{self.name}.lock"


def ingest_lock(cell: Cell, product: str) -> Lock:
    """Return the lock of whoever ingests the product."""
    return Lock(cell, f"{product}.ingest")


def batch_lock(cell: Cell, product: str) -> Lock:
    """Return the lock of whoever builds the product's hours."""
    return Lock(cell, f"{product}.batch")


def maintenance_lock(cell: Cell, product: str) -> Lock:
    """Return the lock of the run that maintains the product's tables; who does so by hand needs none."""
    return Lock(cell, f"{product}.maintenance")


def quarantine_lock(cell: Cell, product: str) -> Lock:
    """Return the lock of whoever sets offsets of the product aside."""
    return Lock(cell, f"{product}.quarantine")


def dead_letters_lock(cell: Cell, product: str) -> Lock:
    """Return the lock of whoever replays or discards the product's dead letters."""
    return Lock(cell, f"{product}.dead_letters")


def dead_letter_topic_lock(cell: Cell, product: str) -> Lock:
    """Return the lock of whoever feeds the product's topic of dead letters."""
    return Lock(cell, f"{product}.dead_letter_topic")


_held: dict[Path, HeldLease] = {}
"""The leases of this process, by their locks' files."""


@contextmanager
def hold_lock(lock: Lock | Path, owner: str, *, wait_s: float = 3.0) -> Iterator[None]:
    """Hold a lock for the length of the block, under the name `owner`; of a path, on this machine alone.

    Not reentrant. The file stays when the lock is freed; its text is then of no meaning. Where the cell has
    `state_uri`, the lock is lost to another host after `lease.TTL_S` seconds in which this process was paused
    or could not reach the state: `confirm_lock` tells.

    Raises:
        LockHeldError: it was still held elsewhere after `wait_s` seconds.
        StateUnavailableError, StateRefusedError, StateElsewhereError: of a cell with `state_uri`.
    """
    deadline = time.monotonic() + wait_s
    path = lock if isinstance(lock, Path) else lock.path
    with hold_file(path, owner, deadline):
        if isinstance(lock, Path) or lock.cell.state_uri is None:
            yield
            return
        store = LeaseStore(open_state(lock.cell))
        holder = LeaseHolder(owner, place_of(path) or owner)
        with hold_lease(store, lock.name, holder, deadline) as held:
            _held[path] = held
            try:
                yield
            finally:
                del _held[path]


def confirm_lock(lock: Lock, *, at_once: bool = True) -> None:
    """Go on, unless this process has taken the lock and another host has it now.

    Not asked where this process does not hold it, or the cell has no `state_uri`. Without `at_once` only
    what is known by now counts, and the state is not asked. It says nothing of the moment after: a commit
    must be safe by itself.

    Raises:
        LeaseLostError: another host has it.
        StateUnavailableError: the state did not answer.
    """
    held = _held.get(lock.path)
    if held is not None:
        (held.confirm if at_once else held.check)()


def lock_holder(lock: Lock | Path) -> str | None:
    """Return the name of the lock's owner, on whichever machine, or None when nobody holds it. Never waits.

    For an instant after a change of owners it may be the last owner's name.

    Raises:
        StateUnavailableError, StateRefusedError, StateElsewhereError: of a cell with `state_uri`.
    """
    if isinstance(lock, Path):
        return file_holder(lock)
    here = file_holder(lock.path)
    if lock.cell.state_uri is None:
        return here
    holder = LeaseStore(open_state(lock.cell)).holder(lock.name)
    if holder is None:
        return here
    is_dead = here is None and holder.place == place_of(lock.path)
    return None if is_dead else holder.owner


def is_held_here(lock: Lock) -> bool:
    """Return whether a process of this machine holds the lock's file."""
    return file_holder(lock.path) is not None
