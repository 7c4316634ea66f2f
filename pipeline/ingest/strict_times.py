"""Times of day that are none are refused, where fastavro would take the remainder of a day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastavro.read

A_DAY = {"int-time-millis": 86_400_000, "long-time-micros": 86_400_000_000}
"""fastavro's names of the types, and how many of their units a day has."""


def refuse_other_times() -> None:
    """Make fastavro raise ValueError for a time before midnight or after a day, in this process.

    Idempotent.
    """
    for name, day in A_DAY.items():
        reads = fastavro.read.LOGICAL_READERS[name]
        if not isinstance(reads, _Strict):
            fastavro.read.LOGICAL_READERS[name] = _Strict(reads, day)


class _Strict:
    def __init__(self, reads: Callable[..., Any], day: int) -> None:
        self._reads, self._day = reads, day

    def __call__(self, data: int, *schemas: Any) -> Any:
        if not 0 <= data < self._day:
            raise ValueError(f"{data} is no time of day")
        return self._reads(data, *schemas)
