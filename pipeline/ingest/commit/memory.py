"""Memory that was freed, given back to the system."""

from __future__ import annotations

import ctypes

_LIBRARY = ctypes.CDLL(None)


def release_memory() -> bool:
    """Give back what this process has freed; tell whether the C library knows how.

    In glibc each thread has a heap of its own, and what one frees no other may have: arrays made by who
    reads and let go by who writes were a fifth of an ingest's memory. Does nothing elsewhere.
    """
    trim = getattr(_LIBRARY, "malloc_trim", None)
    if trim is None:
        return False
    trim(0)
    return True
