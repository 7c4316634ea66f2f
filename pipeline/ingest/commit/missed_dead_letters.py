"""Reading again what events hold already, for the dead letters table alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pyarrow as pa

from pipeline.ingest.context import IngestContext
from pipeline.ingest.failures.dry_run import DryRun
from pipeline.ingest.failures.isolate import error_detail, failing_records
from pipeline.ingest.model import PlannedBatch, Range
from pipeline.ingest.read.quarantined import planned_quarantines
from pipeline.ingest.read.source import Source
from pipeline.ingest.read.stored import stored_coordinates
from pipeline.ingest.transform.exclude import Exclusions, exclude
from pipeline.ingest.transform.frame import dead_letter_rows
from pipeline.ingest.transform.process import Processor
from pipeline.ingest.transform.records import DeadLetter
from pipeline.kafka.records import Records
from pipeline.ledger.model import Entry


@dataclass(frozen=True)
class MissedDeadLetters:
    """Dead letters that their table lacks, as its rows, and the ledger's entries of the offsets read."""

    rows: pa.Table
    entries: tuple[Entry, ...]


def missed_dead_letters(
    source: Source, processor: Processor, planned: PlannedBatch, context: IngestContext
) -> MissedDeadLetters:
    """Read the repairs of a plan, or as much of them as the limits allow, and find their dead letters.

    What is no row of events is tried out, and what fails by itself is the dead letter that it was.

    Raises:
        StopRequestedError: the ingest is to stop.
    """
    plan, limits, now = planned.plan, context.limits, context.clock()
    dry_run = DryRun(processor, planned, context, now)
    quarantines = planned_quarantines(plan, planned.tables.dead_letters)
    ranges = [
        Range(r.partition, r.start, min(r.end, r.start + limits.max_records)) for r in plan.repairs
    ]
    stored = stored_coordinates(planned.tables.events, plan.identity.topic_id, ranges)
    found: list[DeadLetter] = []
    reached: dict[int, int] = {}
    for chunk in source.read(plan.identity, ranges, limits.fetch_bytes):
        exclusions = _with_failing(Exclusions(stored, quarantines), chunk.records, dry_run)
        found += processor.dead_letters_of(chunk.records, exclusions, now)
        reached.update(chunk.positions)
        if sum(one.memory_bytes for one in found) > limits.dead_letters_bytes:
            break
    counts = Counter(one.record.partition for one in found)
    entries = tuple(
        Entry(r.partition, r.start, reached[r.partition], dead_letters=counts[r.partition])
        for r in ranges
        if reached.get(r.partition, r.start) > r.start
    )
    return MissedDeadLetters(dead_letter_rows(found, plan.identity, context.run_id, now), entries)


def _with_failing(exclusions: Exclusions, records: Records, dry_run: DryRun) -> Exclusions:
    remaining = exclude(records, exclusions).remaining
    unwritable = {
        (int(remaining.partition[row]), int(remaining.offset[row])): error_detail(error)
        for row, error in failing_records(remaining, dry_run.error_of)
    }
    return replace(exclusions, unwritable=unwritable)
