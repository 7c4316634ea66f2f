"""What a run of the crash suite has done, for the last lines of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
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

    def maintained(self, done: Callable[[str], int]) -> None:
        """Add what maintenance says it has `done`."""
        self.company["rounds of maintenance"] += done("rounds")
        self.company["rounds of maintenance that lost a race"] += done("conflicts")
        self.company["files compacted"] += done("files")
        self.company["snapshots expired"] += done("snapshots")

    def counts(self) -> dict[str, int]:
        """Return all sums by what they are of."""
        kinds = (
            ("killed", self.kills),
            ("killed beside", self.beside),
            ("company:", self.company),
            ("records in the end:", self.records),
        )
        return {
            **{f"{kind} {what}": count for kind, found in kinds for what, count in found.items()},
            "kills": self.kills.total(),
            "attempts that caught up before their place, and were made again": self.missed,
            "verifications, each without a record lost or doubled": self.judged,
        }
