"""The closed balance: what became of all offsets up to a commit, proven once and carried forward. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import groupby

from pipeline.ledger.lines import Line
from pipeline.ledger.model import Counts, Entry
from pipeline.tables.versioned_property import parse_property

BALANCE_PROPERTY = "headwater.ledger-balance"
"""Table property of the ledger table: the closed balance of the entries that it holds."""
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Balance:
    """The sums of every commit of events up to one.

    Attributes:
        through: that commit's sequence number in events; 0 before the first.
        entries: one of each partition, ascending: its offsets [start, end), from the first ever in scope
            without a hole, and what became of them. No offset of theirs is unexplained.
        snapshot_id: the snapshot of the ledger table that it was written with.
    """

    through: int = 0
    entries: tuple[Entry, ...] = ()
    snapshot_id: int = 0

    def to_json(self) -> str:
        """Return the property's text."""
        entries = [asdict(entry) for entry in self.entries]
        document = {
            "format": FORMAT_VERSION,
            "through": self.through,
            "snapshot_id": self.snapshot_id,
            "partitions": entries,
        }
        return json.dumps(document, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> Balance:
        """Parse the property's text.

        Raises:
            PropertyNewerError: the text is of a newer format.
        """
        document = parse_property(BALANCE_PROPERTY, text, FORMAT_VERSION)
        entries = tuple(Entry(**entry) for entry in document["partitions"])
        return Balance(document["through"], entries, document["snapshot_id"])


def close(
    balance: Balance, lines: Iterable[Line], first: Mapping[int, int], through: int
) -> Balance:
    """Return `balance` carried forward over `lines`, those of the commits after it up to `through`.

    `lines` stand in the order of their commits; `first` maps a partition to the first offset that was ever in
    scope. It ends before the first commit that is not proven: one with an entry that does not begin where
    the partition's last one ended, or that leaves an offset unexplained. So a balance never carries a
    problem forward: what follows it is read entry by entry, and told.
    """
    known = {entry.partition: entry for entry in balance.entries}
    reached = balance.through
    for number, commit in groupby(lines, lambda line: line.sequence_number):
        proven = _extended(known, commit, first)
        if proven is None:
            return _made(reached, known)
        known, reached = proven, number
    return _made(through, known)


def differences(balance: Balance, lines: Iterable[Line]) -> Iterable[str]:
    """Yield where `balance` is not the sum of those of `lines` that it is of, one sentence each."""
    sums: dict[int, Entry] = {}
    for line in lines:
        if line.sequence_number <= balance.through:
            mine, entry = sums.get(line.entry.partition), line.entry
            sums[entry.partition] = entry if mine is None else _sum(mine, entry)
    stated = {entry.partition: entry for entry in balance.entries}
    for partition in sorted({*stated, *sums}):
        if stated.get(partition) != sums.get(partition):
            yield (
                f"partition {partition}: the closed balance is not the sum of the entries that it closes, "
                f"those up to commit {balance.through} of events"
            )


def _extended(
    known: Mapping[int, Entry], commit: Iterable[Line], first: Mapping[int, int]
) -> dict[int, Entry] | None:
    extended = dict(known)
    for line in commit:
        entry = line.entry
        before = extended.get(entry.partition)
        due = first.get(entry.partition) if before is None else before.end
        if entry.start != due or entry.unexplained:
            return None
        extended[entry.partition] = entry if before is None else _sum(before, entry)
    return extended


def _sum(before: Entry, entry: Entry) -> Entry:
    counts = {f.name: getattr(before, f.name) + getattr(entry, f.name) for f in fields(Counts)}
    return Entry(entry.partition, before.start, entry.end, **counts)


def _made(through: int, known: Mapping[int, Entry]) -> Balance:
    return Balance(through, tuple(known[partition] for partition in sorted(known)))
