"""Noticing that a product's contract has changed on disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pipeline.contract.load import load_product
from pipeline.contract.model import Product

POLL_S = 2.0
"""How often files are looked at; a look reads their names, sizes and times, not their text."""

Stamp = tuple[tuple[str, int, int], ...]


class ContractWatch:
    """Tells of changes of one contract's `folder` since this was made, each once."""

    def __init__(
        self,
        folder: Path,
        *,
        poll_s: float = POLL_S,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self._look_s = poll_s
        self._seconds = seconds
        self._looked_at = seconds()
        self._seen = _stamp(folder)

    def changed(self, *, at_once: bool = False) -> Product | None:
        """Return the product as its contract says now, None where nothing has changed.

        `at_once` looks even if it was looked at a moment ago.

        Files that are still being written make for mistakes, and for another change once they are whole.

        Raises:
            ContractError: it has changed, and cannot be used as it is now.
        """
        now = self._seconds()
        if not at_once and now - self._looked_at < self._look_s:
            return None
        self._looked_at = now
        stamp = _stamp(self.folder)
        if stamp == self._seen:
            return None
        self._seen = stamp
        return load_product(self.folder)


def _stamp(folder: Path) -> Stamp:
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            state = path.stat()
        except OSError:
            # Replaced at this moment: the next look sees what came.
            continue
        found.append((str(path), state.st_mtime_ns, state.st_size))
    return tuple(found)
