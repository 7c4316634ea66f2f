"""What a process opens once: a connection to a server costs several round trips."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Opened = TypeVar("Opened")


class OpenedOnce(Generic[Key, Opened]):
    """What is for every thread, and stays until the process ends.

    A child that is forked has what its parent has, with connections of its own.
    """

    def __init__(self, leave: Callable[[Opened], bool]) -> None:
        """`leave` lets go of the parent's connections in a child, without closing them.

        It returns whether the child goes on with it; else that connects anew.
        """
        self._leave = leave
        self._lock = Lock()
        self._opened: dict[Key, Opened] = {}
        os.register_at_fork(after_in_child=self._begin_as_child)

    def get(self, key: Key, connect: Callable[[], Opened]) -> Opened:
        """Return the process's one of that `key`, made by `connect` where there is none yet.

        Raises:
            What `connect` does; the next call connects anew.
        """
        with self._lock:
            if key not in self._opened:
                self._opened[key] = connect()
            return self._opened[key]

    def _begin_as_child(self) -> None:
        # Closing them would end the parent's; and whoever held the lock is not in this process.
        self._opened = {key: one for key, one in self._opened.items() if self._leave(one)}
        self._lock = Lock()
