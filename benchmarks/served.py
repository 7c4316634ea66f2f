"""The worker's side of `benchmarks.clocked`, for any interpreter: standard library only.

It says `ready` once warm, begins on a line, says `done` right after its work, and ends on the next line.
So whoever started it can look at its whole family of processes at both moments.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TextIO


def own_words() -> TextIO:
    """Return standard output, which from now on is standard error for everything else.

    What a library or a JVM prints must not be taken for a word of ours.
    """
    words = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return words


def serve(words: TextIO, warm_up: Callable[[], None], work: Callable[[], None]) -> None:
    """Warm up, work, and wait for the end."""
    warm_up()
    words.write("ready\n")
    if sys.stdin.readline():
        work()
        words.write("done\n")
        sys.stdin.readline()
