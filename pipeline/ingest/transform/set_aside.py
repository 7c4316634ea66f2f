"""Records that are dead letters without being looked at: held already, set aside, or unwritable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.ingest.read.coordinates import Coordinate
from pipeline.ingest.transform.records import DeadLetter, Reason
from pipeline.kafka.records import Records
from pipeline.tables.quarantines import Quarantine


@dataclass(frozen=True)
class Aside:
    """What is not to be decoded.

    Attributes:
        held: coordinates that the dead letters table, or in a repair the events table, has already.
        quarantines: ranges that somebody set aside.
        unwritable: coordinates of records that fail by themselves -> what was said.
    """

    held: frozenset[Coordinate] = frozenset()
    quarantines: tuple[Quarantine, ...] = ()
    unwritable: Mapping[Coordinate, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether every record is to be decoded."""
        return not (self.held or self.quarantines or self.unwritable)


@dataclass(frozen=True)
class TakenOut:
    """Some records, without those that are aside.

    Attributes:
        rest: what is to be decoded.
        letters: the dead letters among the others that are held nowhere yet.
        held: how many are held, by partition.
    """

    rest: Records
    letters: list[DeadLetter]
    held: Mapping[int, int]


def take_out(records: Records, aside: Aside) -> TakenOut:
    """Part `records` into those to be decoded and those that are `aside`."""
    if aside.is_nothing or not len(records):
        return TakenOut(records, [], {})
    held = _at(records, aside.held)
    quarantined = np.full(len(records), -1, np.int64)
    for number, one in enumerate(aside.quarantines):
        within = (records.offset >= one.start) & (records.offset < one.end)
        quarantined[(records.partition == one.partition) & within] = number
    unwritable = _at(records, aside.unwritable)
    letters = [
        DeadLetter(records.record(row), Reason.QUARANTINED, _told(aside.quarantines[number]))
        for row, number in enumerate(quarantined.tolist())
        if number >= 0 and not held[row]
    ]
    for row in np.flatnonzero(unwritable & ~held & (quarantined < 0)).tolist():
        record = records.record(row)
        said = aside.unwritable[record.partition, record.offset]
        letters.append(DeadLetter(record, Reason.UNWRITABLE, said))
    rest = records.take(np.flatnonzero(~(held | unwritable | (quarantined >= 0))))
    found = Counter(records.partition[held].tolist())
    return TakenOut(rest, letters, found)


def _at(records: Records, wanted: Iterable[Coordinate]) -> npt.NDArray[np.bool_]:
    """Return which of `records` stand at one of the coordinates `wanted`."""
    by_partition: dict[int, list[int]] = {}
    for partition, offset in wanted:
        by_partition.setdefault(partition, []).append(offset)
    found = np.zeros(len(records), np.bool_)
    for partition, offsets in by_partition.items():
        found |= (records.partition == partition) & np.isin(records.offset, offsets)
    return found


def _told(quarantine: Quarantine) -> str:
    return f"set aside by {quarantine.by} at {quarantine.at.isoformat()}: {quarantine.reason}"
