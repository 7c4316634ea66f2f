"""Which offsets to look at in Kafka for copies of an event, nearest first, and how far. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.trace.commits import Commit
from pipeline.trace.model import Look, Row, Seen


@dataclass(frozen=True)
class Limits:
    """How far to look: so many offsets, for so many seconds; None is without a bound."""

    offsets: int | None = 100_000
    seconds: float | None = 2.0


NEAR = Limits()
EVERYTHING = Limits(None, None)
NOTHING = Limits(0, 0.0)


@dataclass(frozen=True)
class Range:
    """Offsets [start, end) of one partition to be read, and the commit that counts duplicates there."""

    partition: int
    start: int
    end: int
    commit: Commit | None = None


def dropped_ranges(row: Row, commits: Iterable[Commit]) -> tuple[Range, ...]:
    """Return where copies of a row may have been dropped, nearest first.

    `commits` count duplicates. Those before the row's own are left out, for what came first stayed; so are,
    of that one, offsets before the row's in its partition.
    """
    found = [
        Range(one.entry.partition, _start(row, one), one.entry.end, one)
        for one in commits
        if row.commit is not None and one.sequence_number >= row.commit.sequence_number
    ]

    def distance(one: Range) -> tuple[int, bool, int]:
        number = 0 if one.commit is None else one.commit.sequence_number
        return number, one.partition != row.place.partition, one.start

    return tuple(sorted((one for one in found if one.start < one.end), key=distance))


def _start(row: Row, commit: Commit) -> int:
    entry = commit.entry
    if entry.partition != row.place.partition:
        return entry.start
    return max(entry.start, row.place.offset + 1)


def waiting_ranges(next_: Mapping[int, int], ends: Mapping[int, int]) -> tuple[Range, ...]:
    """Return what Kafka has beyond what is ingested, by partitions."""
    return tuple(
        Range(partition, next_[partition], end)
        for partition, end in sorted(ends.items())
        if partition in next_ and next_[partition] < end
    )


def within(
    ranges: Iterable[Range], earliest: Mapping[int, int], most: int | None
) -> tuple[tuple[Range, ...], tuple[Look, ...]]:
    """Return what to read of `ranges`, and what not: what is gone, and what is beyond `most` offsets.

    `earliest` are the first offsets that Kafka has; of a partition that it does not name, it has none.
    """
    wanted: list[Range] = []
    passed: list[Look] = []
    left = most
    for one in ranges:
        begin = min(max(one.start, earliest.get(one.partition, one.end)), one.end)
        if begin > one.start:
            passed.append(Look(one.partition, one.start, begin, Seen.GONE, one.commit))
        end = one.end if left is None else min(one.end, begin + left)
        if left is not None:
            left -= end - begin
        if begin < end:
            wanted.append(Range(one.partition, begin, end, one.commit))
        if end < one.end:
            why = "beyond the bound on offsets"
            passed.append(Look(one.partition, max(begin, end), one.end, Seen.LEFT, one.commit, why))
    return tuple(wanted), tuple(passed)


def unread(ranges: Iterable[Range], why: str) -> tuple[Look, ...]:
    """Return that none of `ranges` was looked at, and why."""
    return tuple(
        Look(one.partition, one.start, one.end, Seen.LEFT, one.commit, why) for one in ranges
    )
