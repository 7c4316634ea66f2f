"""Partitions that wait for their contract: the first record of each that it does not list stays in Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.ingest.transform.records import DeadLetter, Reason


@dataclass(frozen=True)
class HeldBackPartition:
    """Where one partition waits, and for what."""

    partition: int
    offset: int
    detail: str

    def __str__(self) -> str:
        return f"partition {self.partition} waits at offset {self.offset}: {self.detail}"


def describe_held_back(waiting: Sequence[HeldBackPartition]) -> str:
    """Return what waits and what to do about it, or that nothing waits any more."""
    if not waiting:
        return "nothing is held back any more"
    listed = "; ".join(map(str, waiting))
    return f"held back until the contract lists the version under schemas.payload: {listed}"


class HeldBackError(Exception):
    """Records were met that are to wait: the batch ends before them, and must be planned again."""

    def __init__(self, found: Mapping[int, HeldBackPartition]) -> None:
        super().__init__("; ".join(map(str, found.values())))
        self.found = found


def raise_if_held_back(dead_letters: Iterable[DeadLetter]) -> None:
    """Raise HeldBackError if any of `dead_letters` is of a version that is to be listed first."""
    found: dict[int, HeldBackPartition] = {}
    for dead_letter in dead_letters:
        if dead_letter.reason is Reason.UNLISTED_SCHEMA:
            place, offset = dead_letter.record.partition, dead_letter.record.offset
            if place not in found or offset < found[place].offset:
                found[place] = HeldBackPartition(place, offset, dead_letter.detail)
    if found:
        raise HeldBackError(found)


class HeldBackPartitions:
    """The partitions that an ingest holds back, until its contract changes."""

    def __init__(self) -> None:
        self._at: dict[int, HeldBackPartition] = {}

    @property
    def now(self) -> tuple[HeldBackPartition, ...]:
        """What waits, by partition."""
        return tuple(self._at[partition] for partition in sorted(self._at))

    def add(self, found: Mapping[int, HeldBackPartition]) -> None:
        """Hold back from the offsets that were found."""
        self._at.update(found)

    def forget(self) -> None:
        """Hold nothing back."""
        self._at.clear()

    def capped(self, targets: Mapping[int, int], committed: Mapping[int, int]) -> Mapping[int, int]:
        """Return `targets`, none beyond what waits; what others have `committed` waits no more."""
        for partition, at in list(self._at.items()):
            if committed.get(partition, at.offset) > at.offset:
                del self._at[partition]
        waits = {p: min(targets.get(p, at.offset), at.offset) for p, at in self._at.items()}
        return {**targets, **waits}
