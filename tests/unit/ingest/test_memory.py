"""Freed memory is given back, where the C library keeps it."""

from __future__ import annotations

import platform
import threading

import numpy as np
import psutil

from pipeline.ingest.commit.memory import release_memory

PIECES = 2_000
PIECE = 100_000
"""Bytes: less than what the C library takes from the system for each by itself."""


def test_what_a_thread_has_freed_is_given_back() -> None:
    kept: list[np.ndarray] = []

    def make() -> None:
        pieces = [np.ones(PIECE, np.uint8) for _ in range(PIECES)]
        # The last stays: what is freed below it cannot be given back by freeing alone.
        kept.append(pieces[-1])

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    process = psutil.Process()
    before = process.memory_info().rss
    if release_memory():
        assert before - process.memory_info().rss > PIECES * PIECE // 2
    else:
        assert platform.libc_ver()[0] != "glibc"
    assert int(kept[0].sum()) == PIECE
