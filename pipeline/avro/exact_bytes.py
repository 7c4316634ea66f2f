"""Bytes that are read exactly, or not at all."""

from __future__ import annotations

import io


class ExactBytes(io.BytesIO):
    """A stream whose `read` returns as many bytes as were asked for.

    General Avro readers skip values without looking at what they were given: at the end of a broken one
    they would go on for as many items as it claims to have.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next `size` bytes.

        Raises:
            ValueError: `size` is negative: a broken length.
            EOFError: there are fewer.
        """
        if size is None or size < 0:
            raise ValueError(f"a length of {size}")
        found = super().read(size)
        if len(found) < size:
            raise EOFError(f"{size} bytes wanted, {len(found)} left")
        return found
