"""Accounting for the offsets of a micro-batch: what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.ingest.model import Range, RecordChunk
from pipeline.ingest.transform.process import ProcessedRecords
from pipeline.ingest.transform.records import DeadLetter
from pipeline.kafka.record_batches import GapKind
from pipeline.ledger.model import Entry


@dataclass
class OffsetAccounting:
    """The counts of a micro-batch, chunk by chunk.

    Attributes:
        positions: partition -> the first offset that has not been passed.
        dead_letters: the new dead letters.
        dead_letters_bytes: about how much memory they take.
        singly: events that were decoded one by one.
    """

    positions: dict[int, int] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    dead_letters_bytes: int = 0
    singly: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    _delivered: Counter[int] = field(default_factory=Counter)
    _stored: Counter[int] = field(default_factory=Counter)
    _rows: Counter[int] = field(default_factory=Counter)
    _late: Counter[int] = field(default_factory=Counter)
    _invalid: Counter[int] = field(default_factory=Counter)
    _out_of_order: Counter[int] = field(default_factory=Counter)
    _duplicates: Counter[int] = field(default_factory=Counter)
    _gaps: dict[GapKind, Counter[int]] = field(
        default_factory=lambda: {kind: Counter() for kind in GapKind}
    )

    def add(self, chunk: RecordChunk, done: ProcessedRecords) -> None:
        """Count one chunk in."""
        self.positions.update(chunk.positions)
        self.dead_letters.extend(done.dead_letters)
        self.dead_letters_bytes += sum(
            dead_letter.memory_bytes for dead_letter in done.dead_letters
        )
        self.rules.update(done.rules)
        self.singly += done.singly
        self._late.update(done.late)
        self._invalid.update(done.invalid)
        self._out_of_order.update(done.out_of_order)
        self._delivered.update(done.delivered)
        self._stored.update(done.stored)
        self._duplicates.update(done.duplicates)
        rows = done.rows.get_column("_topic_partition").value_counts()
        self._rows.update(dict(rows.iter_rows()))
        for kind, found in chunk.gaps.items():
            self._gaps[kind].update(found)

    def passed(self, ranges: Sequence[Range]) -> tuple[Range, ...]:
        """Return how much of `ranges` has been passed."""
        cut = (
            Range(r.partition, r.start, self.positions.get(r.partition, r.start)) for r in ranges
        )
        return tuple(r for r in cut if len(r))

    def holes(self, ranges: Sequence[Range], stored: Mapping[int, int]) -> Mapping[int, int]:
        """Return the offsets of `ranges` that no batch told of, by partition.

        `stored` are the dead letters that their table has of them: those were there once.
        """
        control, aborted = self._gaps[GapKind.CONTROL], self._gaps[GapKind.ABORTED]
        holes = {}
        for r in ranges:
            p = r.partition
            seen = self._delivered[p] + control[p] + aborted[p] + stored.get(p, 0) - self._stored[p]
            holes[p] = len(r) - seen
        return holes

    def entries(
        self, ranges: Sequence[Range], stored: Mapping[int, int], compacted: Mapping[int, int]
    ) -> tuple[Entry, ...]:
        """Return the ledger's entries of `ranges`, which are what has been passed.

        `compacted` are the holes that compaction explains; others stay unexplained.
        """
        new = Counter(dead_letter.record.partition for dead_letter in self.dead_letters)
        return tuple(
            Entry(
                partition=r.partition,
                start=r.start,
                end=r.end,
                rows=self._rows[r.partition],
                duplicates=self._duplicates[r.partition],
                dead_letters=new[r.partition] + stored.get(r.partition, 0),
                control=self._gaps[GapKind.CONTROL][r.partition],
                aborted=self._gaps[GapKind.ABORTED][r.partition],
                compacted=compacted.get(r.partition, 0),
                late=self._late[r.partition],
                invalid=self._invalid[r.partition],
                out_of_order=self._out_of_order[r.partition],
            )
            for r in ranges
        )
