"""Excluding records that are dead letters without being decoded: stored already, quarantined, unwritable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.ingest.read.stored import Coordinate
from pipeline.ingest.transform.records import DeadLetter, Reason
from pipeline.kafka.records import Records
from pipeline.tables.quarantines import Quarantine


@dataclass(frozen=True)
class Exclusions:
    """What is not to be decoded.

    Attributes:
        stored: coordinates that the dead letters table, or in a repair the events table, has already.
        quarantines: ranges that somebody set aside.
        unwritable: coordinates of records that fail by themselves -> their errors.
    """

    stored: frozenset[Coordinate] = frozenset()
    quarantines: tuple[Quarantine, ...] = ()
    unwritable: Mapping[Coordinate, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether every record is to be decoded."""
        return not (self.stored or self.quarantines or self.unwritable)


@dataclass(frozen=True)
class Excluded:
    """Some records, parted by what is excluded.

    Attributes:
        remaining: what is to be decoded.
        dead_letters: the dead letters among the others that are stored nowhere yet.
        stored: how many are stored, by partition.
    """

    remaining: Records
    dead_letters: list[DeadLetter]
    stored: Mapping[int, int]


def exclude(records: Records, exclusions: Exclusions) -> Excluded:
    """Part `records` into those to be decoded and those that `exclusions` leaves out."""
    if exclusions.is_nothing or not len(records):
        return Excluded(records, [], {})
    stored = _at(records, exclusions.stored)
    quarantined = np.full(len(records), -1, np.int64)
    for number, one in enumerate(exclusions.quarantines):
        within = (records.offset >= one.start) & (records.offset < one.end)
        quarantined[(records.partition == one.partition) & within] = number
    unwritable = _at(records, exclusions.unwritable)
    dead_letters = [
        DeadLetter(records.record(row), Reason.QUARANTINED, _detail(exclusions.quarantines[number]))
        for row, number in enumerate(quarantined.tolist())
        if number >= 0 and not stored[row]
    ]
    for row in np.flatnonzero(unwritable & ~stored & (quarantined < 0)).tolist():
        record = records.record(row)
        detail = exclusions.unwritable[record.partition, record.offset]
        dead_letters.append(DeadLetter(record, Reason.UNWRITABLE, detail))
    remaining = records.take(np.flatnonzero(~(stored | unwritable | (quarantined >= 0))))
    found = Counter(records.partition[stored].tolist())
    return Excluded(remaining, dead_letters, found)


def _at(records: Records, wanted: Iterable[Coordinate]) -> npt.NDArray[np.bool_]:
    """Return which of `records` stand at one of the coordinates `wanted`."""
    by_partition: dict[int, list[int]] = {}
    for partition, offset in wanted:
        by_partition.setdefault(partition, []).append(offset)
    found = np.zeros(len(records), np.bool_)
    for partition, offsets in by_partition.items():
        found |= (records.partition == partition) & np.isin(records.offset, offsets)
    return found


def _detail(quarantine: Quarantine) -> str:
    return f"set aside by {quarantine.by} at {quarantine.at.isoformat()}: {quarantine.reason}"
