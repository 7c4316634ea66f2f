"""Reading again what events hold already, for the dead letters table alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from pyiceberg.table import Table

from pipeline.ingest.batch import Processor
from pipeline.ingest.coordinates import held_coordinates
from pipeline.ingest.model import DeadLetter
from pipeline.ingest.plan import Limits, Plan, Range
from pipeline.ingest.source import Source
from pipeline.ledger.model import Entry


@dataclass(frozen=True)
class Missed:
    """Dead letters that their table lacks, and the books' entries of the offsets read for them."""

    letters: tuple[DeadLetter, ...]
    entries: tuple[Entry, ...]


def missed_letters(
    source: Source,
    processor: Processor,
    planned: Plan,
    events: Table,
    limits: Limits,
    now: datetime,
) -> Missed:
    """Read the repairs of `planned`, or as much of them as `limits` allow, and find their dead letters.

    Raises:
        StopAskedError: the ingest is to stop.
    """
    ranges = [
        Range(r.partition, r.start, min(r.end, r.start + limits.max_records))
        for r in planned.repairs
    ]
    settled = held_coordinates(events, planned.identity.topic_id, ranges)
    found: list[DeadLetter] = []
    reached: dict[int, int] = {}
    for read in source.read(planned.identity, ranges, limits.fetch_bytes):
        found += processor.letters_of(read.records, settled, now)
        reached.update(read.positions)
        if sum(letter.memory_bytes for letter in found) > limits.letters_bytes:
            break
    counts = Counter(letter.record.partition for letter in found)
    entries = tuple(
        Entry(r.partition, r.start, reached[r.partition], dead_letters=counts[r.partition])
        for r in ranges
        if reached.get(r.partition, r.start) > r.start
    )
    return Missed(tuple(found), entries)
