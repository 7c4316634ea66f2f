"""Records of several batches, uncompressed, one after the other in memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class UncompressedRecords:
    """Gathers bytes in memory of `room` bytes, or of as many as the first have if these are more.

    Of memory that nothing is written to, next to nothing is resident.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._memory = np.empty(0, np.uint8)
        self._end = 0
        self.sizes: list[int] = []
        """How many bytes each `add` brought."""

    @property
    def data(self) -> npt.NDArray[np.uint8]:
        """All bytes; later ones do not change it."""
        return self._memory[: self._end]

    def has_room(self, size: int) -> bool:
        """Return whether so many bytes can be added."""
        return not self.sizes or self._end + size <= len(self._memory)

    def add(self, piece: bytes | memoryview) -> None:
        """Copy `piece` behind what is there.

        Raises:
            ValueError: there is no room for it.
        """
        if not self.sizes:
            # Of numpy's, for it asks the system for huge pages: there are hundreds of faults a megabyte
            # without. One copy into it is cheaper than the faults of memory that each codec takes anew.
            self._memory = np.empty(max(self._room, len(piece)), np.uint8)
        if not self.has_room(len(piece)):
            raise ValueError(f"no room for {len(piece)} bytes")
        end = self._end + len(piece)
        self._memory[self._end : end] = np.frombuffer(piece, np.uint8)
        self._end = end
        self.sizes.append(len(piece))
