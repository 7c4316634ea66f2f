"""What is really there of one partition's committed offsets, in the tables and in Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.ledger.model import Totals


@dataclass(frozen=True)
class Recount:
    """What is really there of one partition's committed offsets [first, next).

    Attributes:
        earliest: the first offset that Kafka still holds; below it only the tables testify.
        readable: records that a read-committed consumer is given of [earliest, next).
        rows, dead_letters: distinct coordinates in the tables.
        doubled: coordinates that stand more than once, in one table or over both.
        beyond: coordinates of events outside the committed offsets.
        twins: readable records that the tables do not hold, and whose uuid is a row of events.
        past_retention: readable records that the tables do not hold, of hours whose rows retention has
            deleted: those rows', and their duplicates'.
        passed_over: all other readable records that the tables do not hold, and that no row is a twin of.
        made_up: coordinates of the tables at which Kafka never held a record for a reader, by the
            evidence of its batches.
        unseen: coordinates of the tables whose record compaction or retention has removed.
        removed: offsets of [earliest, next) of which Kafka has no batch or record any more; None where
            nobody had to ask.
    """

    partition: int
    earliest: int
    readable: int
    rows: int
    dead_letters: int
    doubled: int
    beyond: int = 0
    twins: int = 0
    passed_over: int = 0
    made_up: int = 0
    unseen: int = 0
    removed: int | None = None
    past_retention: int = 0


def disagreements(
    found: Recount, entries: Totals | None, first: int, deleted: int = 0
) -> Iterator[str]:
    """Yield what a recount and the ledger of its partition, from `first` on, do not agree about.

    `deleted` is how many of the partition's rows retention has deleted, as it says itself.
    """
    name = f"partition {found.partition}"
    if found.doubled:
        yield f"{name}: {found.doubled} coordinates stand more than once in the tables"
    if found.beyond:
        yield f"{name}: {found.beyond} rows of events lie outside the committed offsets"
    if entries is None:
        if found.rows or found.dead_letters:
            yield f"{name}: the tables hold records and the ledger has no entry"
        return
    if found.rows != entries.rows - deleted:
        less = f", of which retention has deleted {deleted}" if deleted else ""
        yield f"{name}: the ledger says {entries.rows} rows{less}; events hold {found.rows}"
    if found.dead_letters != entries.dead_letters:
        yield (
            f"{name}: the ledger says {entries.dead_letters} dead letters, "
            f"the table holds {found.dead_letters}"
        )
    if found.passed_over:
        yield (
            f"{name}: a consumer reads {found.passed_over} records that are neither rows, nor dead "
            "letters, nor duplicates of a row; they were passed over"
        )
    if found.made_up:
        yield f"{name}: the tables hold {found.made_up} coordinates that never held a record; made up"
    if found.twins > entries.duplicates:
        yield (
            f"{name}: the ledger says {entries.duplicates} duplicates, "
            f"a consumer reads {found.twins} that are no rows"
        )
    unexplained = found.past_retention - deleted - max(entries.duplicates - found.twins, 0)
    if unexplained > 0:
        yield (
            f"{name}: a consumer reads {found.past_retention} records of hours that retention has deleted, "
            f"{unexplained} more than the rows that it deleted and their duplicates; they were passed over"
        )
    absent = entries.duplicates + deleted - found.twins - found.past_retention - found.passed_over
    # What compaction has removed since may have been these, and nothing else.
    gone = (found.removed or 0) - entries.compacted - found.unseen
    if found.earliest <= first and absent > max(gone, 0):
        yield (
            f"{name}: the ledger says {entries.duplicates} duplicates"
            f"{f' and {deleted} rows that retention has deleted' if deleted else ''}, "
            f"of which {absent - max(gone, 0)} were never in Kafka; made up"
        )


def unproven(found: Recount, entries: Totals | None, deleted: int = 0) -> Iterator[str]:
    """Yield what Kafka does not hold any more, so that nobody can compare it with the tables.

    `deleted` as for `disagreements`.
    """
    name = f"partition {found.partition}"
    if found.unseen:
        yield (
            f"{name}: the records of {found.unseen} rows and dead letters are gone from Kafka "
            "(compaction or retention): the tables and the ledger agree on them, and nothing else tells"
        )
    if entries is None:
        return
    absent = entries.duplicates + deleted - found.twins - found.past_retention - found.passed_over
    if absent > 0:
        which = "duplicates, or rows that retention has deleted," if deleted else "duplicates"
        yield f"{name}: {absent} {which} are gone from Kafka: the ledger alone tells of them"
