"""A micro-batch as it is planned, read and committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
from pyiceberg.table import Table

from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.record_batches import GapKind
from pipeline.kafka.records import Records
from pipeline.ledger.model import Entry


class LoadedTables(NamedTuple):
    """The two tables that an ingest writes, as they were loaded."""

    events: Table
    dead_letters: Table


@dataclass(frozen=True)
class TopicState:
    """What Kafka holds of a topic: partition -> offset.

    Attributes:
        earliest: the first offset that is still there.
        stable: the last stable offset; beyond it lie open transactions.
        start: where the contract says to begin a partition that was never read.
    """

    identity: TopicIdentity
    earliest: Mapping[int, int]
    stable: Mapping[int, int]
    start: Mapping[int, int]


@dataclass(frozen=True)
class Range:
    """The offsets [start, end) of one partition."""

    partition: int
    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Plan:
    """What one micro-batch reads.

    Attributes:
        ranges: what is read and becomes rows, dead letters and duplicates.
        repairs: ranges that events hold but the dead letters table does not: read again for it alone.
        first, next: every partition's offsets as they are before the batch.
        dead_letters_next: the same of the dead letters table.
        lag: offsets that wait in Kafka, this batch included; no further than what was aimed at.
        redone: the parts of `ranges` that the dead letters table has already.
    """

    identity: TopicIdentity
    ranges: tuple[Range, ...]
    repairs: tuple[Range, ...]
    first: Mapping[int, int]
    next: Mapping[int, int]
    dead_letters_next: Mapping[int, int]
    lag: int
    redone: tuple[Range, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self.ranges and not self.repairs


@dataclass(frozen=True)
class PlannedBatch:
    """A plan, with the tables and the topic that it was made from."""

    plan: Plan
    tables: LoadedTables
    topic: TopicState
    has_offsets: bool
    """Whether the events table has been committed to before."""


@dataclass(frozen=True)
class RecordChunk:
    """Some records of a micro-batch, and how far they bring each of their partitions.

    Attributes:
        positions: partition -> the first offset after this chunk.
        gaps: kind -> partition -> offsets of this chunk that hold no record for a reader.
    """

    records: Records
    positions: Mapping[int, int]
    gaps: Mapping[GapKind, Mapping[int, int]]


@dataclass(frozen=True)
class MicroBatch:
    """What has been read of a plan, ready to be committed. Its rows are with the `RowsWriter`.

    Attributes:
        ends: partition -> the offset that it ends before.
        entries: the ledger's entries of it.
        dead_letters: its new dead letters, as rows of their table.
        reasons: all its dead letters by reason, those that their table has already included.
        rules: rows that break a business rule, by rule.
        singly: events that were decoded one by one.
    """

    ends: Mapping[int, int]
    entries: tuple[Entry, ...]
    dead_letters: pa.Table
    reasons: Mapping[str, int]
    rules: Mapping[str, int]
    singly: int
