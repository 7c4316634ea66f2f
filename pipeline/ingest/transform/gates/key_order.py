"""Watching that event time never goes back within a key. Compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.native import compiled

CAPACITY = 1 << 20
"""Keys remembered at once, 16 bytes each."""


class KeyOrder:
    """Finds events that are older than an earlier one of their key.

    Watched, not enforced: the row is kept. Keys are told apart by 64-bit
    hashes; when more than three quarters of `capacity` (a power of two) are known, all are forgotten.
    NOT found: violations across such a moment, or across a restart.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._keys: npt.NDArray[np.uint64] = np.zeros(capacity, np.uint64)
        self._latest: npt.NDArray[np.int64] = np.zeros(capacity, np.int64)
        self._state: npt.NDArray[np.int64] = np.zeros(1, np.int64)

    def forget(self) -> None:
        """Forget every key: what was watched last is not committed, and comes again."""
        if self._state[0]:
            self._keys[:] = 0
            self._state[0] = 0

    def watch(self, frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
        """Return which rows of `frame` (`_key`, `_event_time`, in offset order) go back in time."""
        back = np.zeros(frame.height, np.bool_)
        hashes = frame.get_column("_key").hash(seed=29).to_numpy()
        times = frame.get_column("_event_time").dt.epoch("us").to_numpy()
        _watch(hashes, times, self._keys, self._latest, self._state, back)
        return back


@compiled
def _watch(hashes: Any, times: Any, keys: Any, latest: Any, state: Any, back: Any) -> None:
    mask = np.uint64(keys.shape[0] - 1)
    limit = keys.shape[0] * 3 // 4
    for i in range(hashes.shape[0]):
        # Zero marks a free place.
        key = hashes[i] | np.uint64(1)
        at = (hashes[i] >> np.uint64(20)) & mask
        while keys[at] != 0 and keys[at] != key:
            at = (at + np.uint64(1)) & mask
        if keys[at] == key:
            if times[i] < latest[at]:
                back[i] = True
            else:
                latest[at] = times[i]
            continue
        if state[0] >= limit:
            keys[:] = 0
            state[0] = 0
            at = (hashes[i] >> np.uint64(20)) & mask
        keys[at] = key
        latest[at] = times[i]
        state[0] += 1
