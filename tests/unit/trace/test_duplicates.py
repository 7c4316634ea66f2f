"""Where copies are looked for: nearest first, within bounds, and what of it Kafka has no more."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow as pa
import pytest

from pipeline.ledger.model import Entry
from pipeline.trace.commits import Commit
from pipeline.trace.duplicates import Range, dropped_ranges, unread, waiting_ranges, within
from pipeline.trace.model import Place, Seen
from pipeline.trace.needles import Needles
from tests.unit.trace.test_assemble import COMMIT, ROW, T0


def commit(number: int, partition: int, start: int, end: int) -> Commit:
    entry = Entry(partition=partition, start=start, end=end, rows=end - start - 1, duplicates=1)
    return Commit(100 + number, number, entry, T0, None, None, None, retained=False)


def places(ranges: tuple[Range, ...]) -> list[tuple[int, int, int]]:
    return [(one.partition, one.start, one.end) for one in ranges]


def test_the_nearest_commit_comes_first_and_within_one_the_rows_own_partition() -> None:
    # The row is at 0/7, of commit 3.
    commits = [
        commit(2, 0, 0, 5),
        commit(3, 1, 0, 4),
        commit(3, 0, 5, 10),
        commit(5, 0, 20, 30),
        commit(4, 1, 4, 6),
    ]
    assert places(dropped_ranges(ROW, commits)) == [
        (0, 8, 10),
        (1, 0, 4),
        (1, 4, 6),
        (0, 20, 30),
    ]
    last = replace(COMMIT.entry, end=8)
    assert dropped_ranges(ROW, [replace(COMMIT, entry=last)]) == ()
    assert dropped_ranges(replace(ROW, commit=None), commits) == ()


@pytest.mark.parametrize(
    ("earliest", "most", "wanted", "passed"),
    [
        ({0: 0, 1: 0}, None, [(0, 8, 10), (1, 0, 4)], []),
        ({0: 0, 1: 0}, 3, [(0, 8, 10), (1, 0, 1)], [(1, 1, 4, Seen.LEFT)]),
        ({0: 0, 1: 0}, 0, [], [(0, 8, 10, Seen.LEFT), (1, 0, 4, Seen.LEFT)]),
        ({0: 9, 1: 9}, None, [(0, 9, 10)], [(0, 8, 9, Seen.GONE), (1, 0, 4, Seen.GONE)]),
        ({0: 9}, 1, [(0, 9, 10)], [(0, 8, 9, Seen.GONE), (1, 0, 4, Seen.GONE)]),
        (
            {0: 9, 1: 2},
            2,
            [(0, 9, 10), (1, 2, 3)],
            [(0, 8, 9, Seen.GONE), (1, 0, 2, Seen.GONE), (1, 3, 4, Seen.LEFT)],
        ),
    ],
)
def test_what_is_gone_counts_towards_no_bound(
    earliest: dict[int, int],
    most: int | None,
    wanted: list[tuple[int, int, int]],
    passed: list[tuple[int, int, int, Seen]],
) -> None:
    ranges = [Range(0, 8, 10), Range(1, 0, 4)]
    found, looks = within(ranges, earliest, most)
    assert places(found) == wanted
    assert [(one.partition, one.start, one.end, one.seen) for one in looks] == passed
    offsets = sum(end - start for _, start, end in wanted)
    assert offsets + sum(one.end - one.start for one in looks) == 6


def test_what_waits_is_what_kafka_has_beyond_what_is_ingested() -> None:
    ranges = waiting_ranges({0: 5, 1: 7}, {0: 9, 1: 7, 2: 3})
    assert places(ranges) == [(0, 5, 9)]
    assert [one.why for one in unread(ranges, "why")] == ["why"]


def test_needles_are_found_as_text_as_sixteen_bytes_and_by_origin() -> None:
    uuid = "5f0e6a52-6f0c-4d1a-9b1e-3f6a2c1d4e5f"
    needles = Needles.of(uuid, [Place("topic", 3, 12)])
    sixteen = bytes.fromhex(uuid.replace("-", ""))
    values = [None, b"", b"x" + uuid.encode(), uuid[:20].encode(), uuid[20:].encode(), sixteen]
    column = pa.array([b"before", *values, b"topic/3/12/1700"], pa.binary())
    # The two halves adjoin, and make no hit.
    assert needles.rows(column) == {3, 6, 7}
    assert needles.rows(column.slice(4)) == {2, 3}
    assert needles.rows(column.slice(0, 3)) == frozenset()
    assert [needles.are_in(one) for one in (None, b"", sixteen)] == [False, False, True]
    assert Needles.of("any (text").pattern == re.compile(rb"any\ \(text")
