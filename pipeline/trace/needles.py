"""What bytes of an event's record have in them, and which of many records may be its."""

from __future__ import annotations

import re
import uuid as uuids
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.trace.model import Place


@dataclass(frozen=True)
class Needles:
    """Byte strings of which any record of an event has one: in its value or key, or in a header.

    A record without any is not the event's, but for one whose uuid is made of its coordinates; one that has
    some may still be another's.
    """

    pattern: re.Pattern[bytes]

    @classmethod
    def of(cls, uuid: str, origins: Iterable[Place] = ()) -> Needles:
        """Return those of a uuid, as text and in sixteen bytes, and of replays of records at `origins`."""
        found = [uuid.encode()]
        if (sixteen := as_uuid(uuid)) is not None:
            found.append(sixteen.bytes)
        found += [f"{one.topic_id}/{one.partition}/{one.offset}/".encode() for one in origins]
        return cls(re.compile(b"|".join(map(re.escape, found))))

    def are_in(self, held: bytes | memoryview | None) -> bool:
        """Whether bytes have one of them."""
        return held is not None and self.pattern.search(held) is not None

    def rows(self, column: pa.Array) -> frozenset[int]:
        """Return the places of the binary values that have one of them."""
        values = column.cast(pa.large_binary())
        _, offsets, data = values.buffers()
        if data is None or not len(values):
            return frozenset()
        ends = np.frombuffer(offsets, np.int64)[values.offset : values.offset + len(values) + 1]
        found: set[int] = set()
        for match in self.pattern.finditer(memoryview(data), int(ends[0]), int(ends[-1])):
            row = int(np.searchsorted(ends, match.start(), side="right")) - 1
            if match.end() <= ends[row + 1]:
                found.add(row)
        return frozenset(found)


def as_uuid(text: str) -> uuids.UUID | None:
    """Return the UUID that a text is, None of any other text: any may be an event's uuid."""
    try:
        return uuids.UUID(text)
    except ValueError:
        return None
