"""The closed balance: carried forward as far as it is proven, and never a step further."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ledger.balance import Balance, close, differences
from pipeline.ledger.lines import Line
from pipeline.ledger.model import Counts, Entry
from pipeline.tables.versioned_property import PropertyNewerError

AT = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = {0: 10, 1: 0, 2: 5}


def line(number: int, entry: Entry) -> Line:
    return Line(entry, snapshot_id=number, sequence_number=number, committed_at=AT)


@st.composite
def commits(draw: st.DrawFn) -> list[Line]:
    """Entries of honest commits of up to three partitions, each beginning where the last one ended."""
    position = dict(FIRST)
    lines = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        for partition in sorted(draw(st.sets(st.sampled_from(sorted(FIRST))))):
            rows, late, gaps = (draw(st.integers(0, 5)) for _ in range(3))
            start, end = position[partition], position[partition] + rows + gaps
            position[partition] = end
            entry = Entry(partition, start, end, rows=rows, control=gaps, late=min(late, rows))
            lines.append(line(number, entry))
    return lines


@given(lines=commits(), cuts=st.sets(st.integers(0, 12)))
def test_however_often_it_is_carried_forward_it_is_the_sum_of_all(
    lines: list[Line], cuts: set[int]
) -> None:
    balance, done = Balance(), 0
    for cut in sorted({*cuts, 12}):
        part = [one for one in lines if done < one.sequence_number <= cut]
        balance, done = close(balance, part, FIRST, cut), cut
    assert balance.through == 12
    assert Balance.from_json(balance.to_json()) == balance
    assert not list(differences(balance, lines))
    for entry in balance.entries:
        mine = [one.entry for one in lines if one.entry.partition == entry.partition]
        assert (entry.start, entry.end) == (FIRST[entry.partition], mine[-1].end)
        for count in fields(Counts):
            assert getattr(entry, count.name) == sum(getattr(one, count.name) for one in mine)


@given(lines=commits(), data=st.data())
def test_it_ends_before_the_commit_of_an_entry_that_is_missing_or_changed(
    lines: list[Line], data: st.DataObject
) -> None:
    told = [number for number, one in enumerate(lines) if one.entry.end > one.entry.start]
    if not told:
        return
    at = data.draw(st.sampled_from(told))
    broken, entry = lines[at], lines[at].entry
    if data.draw(st.booleans()):
        after = Entry(entry.partition, entry.start, entry.end, lost=entry.end - entry.start + 1)
        found = [*lines[:at], line(broken.sequence_number, after), *lines[at + 1 :]]
        assert close(Balance(), found, FIRST, 99).through < broken.sequence_number
    else:
        found = [*lines[:at], *lines[at + 1 :]]
        closed = close(Balance(), found, FIRST, 99)
        following = [one for one in lines[at + 1 :] if one.entry.partition == entry.partition]
        assert closed.through < following[0].sequence_number if following else closed.through == 99
        # What is closed has no hole, whatever is missing.
        assert all(one.unexplained == 0 for one in closed.entries)


def test_a_balance_that_is_not_the_sum_of_its_entries_is_named() -> None:
    honest = [line(1, Entry(1, 0, 4, rows=4)), line(2, Entry(1, 4, 6, rows=1, control=1))]
    closed = close(Balance(), honest, FIRST, 2)
    altered = [honest[0], line(2, Entry(1, 4, 6, rows=2))]
    assert "partition 1: the closed balance is not the sum" in next(
        iter(differences(closed, altered))
    )
    assert len(list(differences(closed, honest[:1]))) == 1
    assert not list(differences(closed, [*honest, line(3, Entry(1, 6, 9))]))


def test_a_balance_of_a_newer_format_is_refused() -> None:
    with pytest.raises(PropertyNewerError, match="newer than 1"):
        Balance.from_json('{"format": 2}')
