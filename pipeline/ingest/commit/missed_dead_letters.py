"""Reading again what events hold already, for the dead letters table alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from pyiceberg.table import Table

from pipeline.ingest.failures.isolate import Rehearsal, culprits, told
from pipeline.ingest.limits import Limits
from pipeline.ingest.plan import Plan, Range
from pipeline.ingest.read.coordinates import held_coordinates
from pipeline.ingest.read.source import Source
from pipeline.ingest.transform.process import Processor
from pipeline.ingest.transform.records import DeadLetter
from pipeline.ingest.transform.set_aside import Aside, take_out
from pipeline.kafka.records import Records
from pipeline.ledger.model import Entry
from pipeline.tables.quarantines import Quarantine


@dataclass(frozen=True)
class Missed:
    """Dead letters that their table lacks, and the books' entries of the offsets read for them."""

    letters: tuple[DeadLetter, ...]
    entries: tuple[Entry, ...]


def missed_letters(
    source: Source,
    processor: Processor,
    rehearsal: Rehearsal,
    planned: Plan,
    events: Table,
    quarantines: tuple[Quarantine, ...],
    limits: Limits,
    now: datetime,
) -> Missed:
    """Read the repairs of `planned`, or as much of them as `limits` allow, and find their dead letters.

    What is no row of events is rehearsed, and what fails by itself is the dead letter that it was.

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
        aside = _with_culprits(Aside(settled, quarantines), read.records, rehearsal)
        found += processor.letters_of(read.records, aside, now)
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


def _with_culprits(aside: Aside, records: Records, rehearsal: Rehearsal) -> Aside:
    rest = take_out(records, aside).rest
    unwritable = {
        (int(rest.partition[row]), int(rest.offset[row])): told(error)
        for row, error in culprits(rest, rehearsal.fails)
    }
    return replace(aside, unwritable=unwritable)
