"""Finding, before a place in a row of numbers, the last one that is small enough."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

_MOST = np.iinfo(np.int64).max


class MinTree:
    """Numbers in a fixed order, with the least of every 2, 4, 8, ... of them.

    Holds twice the numbers' own memory.
    """

    def __init__(self, numbers: Numbers) -> None:
        self._levels = [_even(numbers)]
        while len(self._levels[-1]) > 2:
            pairs = self._levels[-1]
            self._levels.append(_even(np.minimum(pairs[::2], pairs[1::2])))

    def last_at_most(self, before: npt.NDArray[np.intp], bounds: Numbers) -> Numbers:
        """Return the last place below `before[i]` of a number <= `bounds[i]`; -1 where there is none.

        Takes O(log n) steps over all of them together, and most often one.
        """
        found = np.full(len(before), -1, np.int64)
        searching = np.flatnonzero(before > 0)
        # The last block of a level that lies whole before, and was not looked into.
        block = before[searching].astype(np.int64) - 1
        for level, least in enumerate(self._levels):
            # The pair of a left block reaches beyond it: that one is looked at before going up.
            for look in (np.ones(len(block), bool), None):
                looked = block % 2 == 0 if look is None else look
                hit = looked & (least[block] <= bounds[searching])
                found[searching[hit]] = self._descend(level, block[hit], bounds[searching[hit]])
                block = block - looked
                stay = ~hit & (block >= 0)
                searching, block = searching[stay], block[stay]
            block >>= 1
        return found

    def _descend(self, level: int, block: Numbers, bounds: Numbers) -> Numbers:
        for least in reversed(self._levels[:level]):
            block = 2 * block + 1
            block = np.where(least[block] <= bounds, block, block - 1)
        return block


def _even(numbers: Numbers) -> Numbers:
    return np.append(numbers, _MOST) if len(numbers) % 2 else numbers
