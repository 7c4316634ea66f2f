"""What a run of the crash suite has done, for its last lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

AT_RANDOM = "at a random time"


@dataclass
class Tally:
    """Sums over all acts.

    Attributes:
        kills: deaths by place.
        beside: kills by what went on beside them.
        company: what that company did, e.g. zombies that were asleep and woke.
        missed: attempts that caught up before they came to their place; each was made again.
        judged: verifications, each of which found nothing.
        records: what the verifier has read, by what became of it, at the end of each act.
    """

    kills: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    company: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    judged: int = 0
    records: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)

    def maintained(self, done: Callable[[str], int]) -> None:
        """Add what maintenance says it has `done`."""
        self.company["rounds of maintenance"] += done("rounds")
        self.company["rounds of maintenance that lost a race"] += done("conflicts")
        self.company["files compacted"] += done("files")
        self.company["snapshots expired"] += done("snapshots")

    def lines(self) -> Iterator[str]:
        """Yield what is printed at the end."""
        seconds = time.monotonic() - self.started
        yield f"{self.kills.total()} kills in {seconds:.0f} s, by place:"
        yield from _counts(self.kills)
        yield "by what went on beside:"
        yield from _counts(self.beside)
        yield "company:"
        yield from _counts(self.company)
        yield f"attempts that caught up before their place, and were made again: {self.missed}"
        yield f"verified {self.judged} times, never a record lost or doubled; at the end of each act:"
        yield from _counts(self.records)


def _counts(counter: Counter[str]) -> Iterator[str]:
    for name, count in sorted(counter.items()):
        yield f"{count:>9,}  {name}"
