"""A set of uuids, 20 to 28 bytes each in memory, or written out. Compiled."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.ingest.dedup.spill import Place, SpillFile
from pipeline.ingest.dedup.uuid_hash import Words
from pipeline.native import compiled

SHARDS = 16
_SHARD_BITS = 4
_LOAD = 0.8
_GROWTH = 1.4
_SMALLEST = 16


class UuidSet:
    """A set of words as `words_of` gives them, exact.

    16 bytes a slot, of which 57 to 80 of a hundred are in use: 20 to 28 MB for a million. It grows a
    16th at a time, so that growing takes next to nothing beside it. What is written out, to `spilled`,
    is still in the set and takes no memory, but is read by every `add`. Not safe for use by several
    threads.
    """

    def __init__(self, spilled: SpillFile | None = None) -> None:
        self._spilled = spilled or SpillFile()
        # By the first bits of a word's hash. Tables written out are never added to.
        self._slots: dict[int, Words] = {}
        self._used = [0] * SHARDS
        self._written: defaultdict[int, list[Place]] = defaultdict(list)
        self._written_used = 0
        self.bytes = 0
        """Memory in use."""

    def __len__(self) -> int:
        return self._written_used + sum(self._used)

    @property
    def written_bytes(self) -> int:
        """What is written out."""
        return sum(place.bytes for places in self._written.values() for place in places)

    def add(self, words: Words) -> npt.NDArray[np.bool_]:
        """Add `words` in order; return which were new.

        Raises:
            SpillUnavailableError: what was written out cannot be read.
        """
        is_new = np.ones(len(words), np.bool_)
        order, ends = _by_shard(words)
        start = 0
        for shard, end in enumerate(ends.tolist()):
            if start == end:
                continue
            rows, start = order[start:end], end
            for place in self._written.get(shard, ()):
                _forget_known(self._spilled.read(place), words, rows, is_new)
            slots = self._with_room(shard, len(rows))
            self._used[shard] += _add(slots, words, rows, is_new)
        return is_new

    def write_out(self) -> None:
        """Move what is in memory to the spill file.

        Raises:
            SpillUnavailableError: it cannot be written.
        """
        for shard, slots in self._slots.items():
            self._written[shard].append(self._spilled.write(slots))
        self._written_used += sum(self._used)
        self._slots, self._used, self.bytes = {}, [0] * SHARDS, 0

    def _with_room(self, shard: int, more: int) -> Words:
        """Return a shard's slots, grown so that `more` words can be added."""
        slots = self._slots.get(shard)
        size = 0 if slots is None else len(slots)
        needed = int((self._used[shard] + more) / _LOAD) + 1
        if slots is not None and needed <= size:
            return slots
        wider = np.zeros((max(needed, int(size * _GROWTH), _SMALLEST), 2), np.uint64)
        if slots is not None:
            _add(wider, slots, np.arange(size), np.ones(size, np.bool_))
        self._slots[shard] = wider
        self.bytes += wider.nbytes - (0 if slots is None else slots.nbytes)
        return wider


@compiled
def _mixed(high: Any, low: Any) -> Any:
    return (high ^ (low * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)


@compiled
def _by_shard(words: Any) -> Any:
    """Return the numbers of `words` in the order of their shards, and where each shard ends."""
    ends = np.zeros(SHARDS + 1, np.int64)
    shards = np.empty(words.shape[0], np.uint8)
    for i in range(words.shape[0]):
        shards[i] = _mixed(words[i, 0], words[i, 1]) >> np.uint64(64 - _SHARD_BITS)
        ends[shards[i] + 1] += 1
    for shard in range(SHARDS):
        ends[shard + 1] += ends[shard]
    order = np.empty(words.shape[0], np.int64)
    for i in range(words.shape[0]):
        order[ends[shards[i]]] = i
        ends[shards[i]] += 1
    return order, ends[:SHARDS]


@compiled
def _find(slots: Any, high: Any, low: Any) -> Any:
    """Return the place in `slots` of a word, or the free one where it belongs, and whether it is there."""
    size = np.uint64(slots.shape[0])
    # 32 bits beside those of the shard, scaled: places are in the order of hashes.
    at = (((_mixed(high, low) >> np.uint64(26)) & np.uint64(0xFFFFFFFF)) * size) >> np.uint64(32)
    while True:
        there, below = slots[at, 0], slots[at, 1]
        if there == high and below == low:
            return at, True
        if there == 0 and below == 0:
            return at, False
        at += np.uint64(1)
        if at == size:
            at = np.uint64(0)


@compiled
def _add(slots: Any, words: Any, rows: Any, is_new: Any) -> int:
    """Put words[rows] into `slots` where they are new and not zero; return how many were."""
    added = 0
    for row in rows:
        high, low = words[row, 0], words[row, 1]
        if not is_new[row] or (high == 0 and low == 0):
            continue
        at, is_known = _find(slots, high, low)
        if is_known:
            is_new[row] = False
            continue
        slots[at, 0], slots[at, 1] = high, low
        added += 1
    return added


@compiled
def _forget_known(slots: Any, words: Any, rows: Any, is_new: Any) -> None:
    """Mark those of words[rows] that are in `slots` as not new."""
    for row in rows:
        if is_new[row] and _find(slots, words[row, 0], words[row, 1])[1]:
            is_new[row] = False
