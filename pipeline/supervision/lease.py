"""The lease that a process holds: renewed by a thread, and confirmed where it matters."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipeline.errors import HeadwaterError, RetryableError
from pipeline.state.leases import Lease, LeaseHolder, LeaseStore
from pipeline.supervision.file_lock import PAUSE_S, lock_held

TTL_S = 30.0
"""How long a lease lasts that is not renewed: so long nobody follows a host that is lost."""
RENEW_S = TTL_S / 3


class LeaseLostError(RetryableError):
    """Another host has taken the lock since: this process had not renewed its lease in time."""


class HeldLease:
    """A lease of this process. Usable from any thread."""

    def __init__(self, store: LeaseStore, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._is_lost = threading.Event()
        self._ended = threading.Event()

    def confirm(self) -> None:
        """Ask the state whether the lease is this process's still, and renew it.

        Raises:
            LeaseLostError: it is not.
            StateUnavailableError: the state did not answer: nobody knows.
        """
        if not self._store.renew(self._lease, TTL_S):
            self._is_lost.set()
        self.check()

    def check(self) -> None:
        """Go on, unless it is known that the lease is lost. Asks nobody.

        Raises:
            LeaseLostError: it is.
        """
        if self._is_lost.is_set():
            raise LeaseLostError(
                "another host has taken it: this process was paused for too long, or cut off from the state.",
                subject=f"lock {self._lease.name}",
                remedy="Let the other one work. Nothing is lost or doubled.",
            )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew it for the length of the block, and release it at the end."""
        thread = threading.Thread(target=self._renew, name=f"lease {self._lease.name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
            # It ends by itself.
            with suppress(RetryableError):
                self._store.release(self._lease)

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_S):
            try:
                self.confirm()
            except LeaseLostError:
                return
            except HeadwaterError:
                # Not known to be lost: asked again next time, and by whoever commits.
                continue


@contextmanager
def hold_lease(
    store: LeaseStore, name: str, holder: LeaseHolder, deadline: float
) -> Iterator[HeldLease]:
    """Hold the lease `name` for the length of the block.

    Raises:
        LockHeldError: it was still another's at `deadline`, by the monotonic clock.
    """
    while (lease := store.take(name, holder, TTL_S)) is None:
        if time.monotonic() >= deadline:
            other = store.holder(name)
            raise lock_held(name, f"{other.owner}, on another host" if other else "another host")
        time.sleep(PAUSE_S)
    held = HeldLease(store, lease)
    with held.kept():
        yield held
