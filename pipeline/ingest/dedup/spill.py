"""Where known uuids are written when they are too many for memory."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from typing import NamedTuple

import numpy as np

from pipeline.errors import RetryableError
from pipeline.ingest.dedup.uuid_hash import Words


class SpillUnavailableError(RetryableError):
    """The folder of temporary files cannot be written or read."""


class Place(NamedTuple):
    """Where a table lies in a spill file."""

    start: int
    bytes: int


class SpillFile:
    """Tables of words in a temporary file without a name: it is gone when the process is.

    Only grows until it is cleared; closed when it is cleared or let go of. Not safe for several threads.
    """

    def __init__(self) -> None:
        self._file: FileIO | None = None
        self._buffer = np.empty(0, np.uint8)
        self.bytes = 0
        """Size of the file."""

    def write(self, table: Words) -> Place:
        """Append `table`.

        Raises:
            SpillUnavailableError: the disk is full, or the folder cannot be written.
        """
        with _named_errors():
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open until `clear`
                self._close = weakref.finalize(self, self._file.close)
            self._file.seek(self.bytes)
            left = table.data.cast("B")
            while left:
                left = left[self._file.write(left) :]
        place = Place(self.bytes, table.nbytes)
        self.bytes += table.nbytes
        return place

    def read(self, place: Place) -> Words:
        """Return the table at `place`, until the next `read`.

        Raises:
            SpillUnavailableError: it cannot be read.
        """
        if self._file is None:
            raise ValueError("nothing was written")
        if len(self._buffer) < place.bytes:
            self._buffer = np.empty(place.bytes, np.uint8)
        found = self._buffer[: place.bytes]
        left = found.data
        with _named_errors():
            self._file.seek(place.start)
            while left:
                got = self._file.readinto(left)
                if not got:
                    raise OSError("the file ends early")
                left = left[got:]
        return found.view(np.uint64).reshape(-1, 2)

    def clear(self) -> None:
        """Forget all tables and free their space. Idempotent."""
        if self._file is not None:
            self._close()
        self._file, self._buffer, self.bytes = None, np.empty(0, np.uint8), 0


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SpillUnavailableError(
            f"known uuids could not be kept in a temporary file ({error}).",
            subject=tempfile.gettempdir(),
            remedy="See that it has space, or set TMPDIR to a folder that has.",
        ) from error
