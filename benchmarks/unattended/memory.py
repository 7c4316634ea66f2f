"""The memory of every process that a stack has started, by what it is."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psutil

from headwater.stack.stack import TOKEN
from headwater.stack.state import StackState

MAY_GROW, MAY_GROW_MB = 1.1, 32.0
"""Memory is flat where its last third's median is no more than this many times, or MB above, its second's."""

UUIDS_MB = 28.0
"""Of a million records, what an ingest keeps at most while their hours are open (`UuidSet`)."""

INGEST = "ingest"
LEAST_MB = 20.0
"""Smaller ones are not told: trackers of semaphores, shells."""


@dataclass
class Series:
    """One process: samples of (seconds since the start, MB), oldest first.

    Attributes:
        keeps_mb_s: what it keeps by design of what comes in a second, up to a bound.
    """

    name: str
    samples: list[tuple[float, float]] = field(default_factory=list)
    keeps_mb_s: float = 0.0

    @property
    def growth_mb(self) -> float:
        """The median of its last third less that of its second; 0 of fewer than six samples."""
        third = len(self.samples) // 3
        if third < 2:
            return 0.0
        return self._median(2 * third, None) - self._median(third, 2 * third)

    @property
    def flat(self) -> bool:
        """Whether it has grown no more than it may once it had warmed up, beside what it keeps by design."""
        third = len(self.samples) // 3
        if third < 2:
            return True
        before, after = self._median(third, 2 * third), self._median(2 * third, None)
        between_s = self.samples[2 * third][0] - self.samples[third][0]
        return after <= max(before * MAY_GROW, before + MAY_GROW_MB) + self.keeps_mb_s * between_s

    def _median(self, begin: int, end: int | None) -> float:
        return statistics.median(mb for _, mb in self.samples[begin:end])


class Memory:
    """Samples the parts of a stack and what they have started, each told by its pid and birth.

    `rate`: records a second that it ingests.
    """

    def __init__(self, rate: float) -> None:
        self._uuids_mb_s = UUIDS_MB * rate / 1_000_000
        self._series: dict[tuple[int, float], Series] = {}

    def sample(self, state: StackState, at_s: float) -> None:
        """Take one sample of each process."""
        parts = {process.pid: name for name, process in state.processes.items()}
        for process in psutil.process_iter():
            try:
                known = process.pid in parts or process.environ().get(TOKEN) == state.token
                megabytes = process.memory_info().rss / 2**20
                if not known or megabytes < LEAST_MB:
                    continue
                key = (process.pid, process.create_time())
                name = _name(process, parts)
            except psutil.Error:
                continue
            series = self._series.setdefault(key, Series(name))
            series.name = name
            series.keeps_mb_s = self._uuids_mb_s if name == INGEST else 0.0
            series.samples.append((at_s, megabytes))

    def lasting(self, length_s: float) -> Sequence[Series]:
        """Return the processes that were there for at least half of `length_s`, the largest first."""
        found = [
            one
            for one in self._series.values()
            if one.samples[-1][0] - one.samples[0][0] >= length_s / 2
        ]
        return sorted(found, key=lambda one: -one.samples[-1][1])


def _name(process: psutil.Process, parts: Mapping[int, str]) -> str:
    if process.pid in parts:
        return parts[process.pid]
    command = process.cmdline()
    if "grpc" in command or "code-server" in command:
        return "code server"
    if command and command[0].endswith("java"):
        return "Spark"
    if any(file.path.endswith(".ingest.lock") for file in process.open_files()):
        return INGEST
    return "run of hours"
