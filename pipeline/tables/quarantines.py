"""Ranges of offsets that somebody set aside: one property of the dead letters table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from pyiceberg.table import Table

QUARANTINES_PROPERTY = "headwater.quarantines"


@dataclass(frozen=True)
class Quarantine:
    """The offsets [start, end) of one partition, whose records become dead letters unread.

    Attributes:
        topic_id: Kafka's id of the topic that the offsets are of.
        reason: why, in the words of whoever did it.
        at, by: when it was done, and by whom.
    """

    topic_id: str
    partition: int
    start: int
    end: int
    reason: str
    at: datetime
    by: str


def read_quarantines(table: Table) -> tuple[Quarantine, ...]:
    """Return what was ever set aside, by the properties of a dead letters `table`; oldest first."""
    text = table.properties.get(QUARANTINES_PROPERTY)
    if text is None:
        return ()
    return tuple(
        Quarantine(
            topic_id=each["topic_id"],
            partition=each["partition"],
            start=each["start"],
            end=each["end"],
            reason=each["reason"],
            at=datetime.fromisoformat(each["at"]),
            by=each["by"],
        )
        for each in json.loads(text)
    )


def to_property(every: Iterable[Quarantine]) -> str:
    """Return the property's text."""
    return json.dumps([asdict(one) | {"at": one.at.isoformat()} for one in every])
